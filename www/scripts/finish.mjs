// Finishes dist/: the snippet that people paste, with integrity hashes, and each text file of the site once more as .gz
// and .br, for servers that send what lies there. Arguments: version, the site's address, the folder.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [, , version, site, dist] = process.argv;

const integrity = (file) => `sha384-${createHash("sha384").update(readFileSync(join(dist, "site/embed", version, file))).digest("base64")}`;
const tag = (type, file) => `<script ${type} src="${site}embed/${version}/${file}" integrity="${integrity(file)}" crossorigin="anonymous"></script>`;
writeFileSync(
  join(dist, "snippet.html"),
  `<!-- Hookwalk ${version}. Once in a page, as a module: -->
${tag('type="module"', "hookwalk.js")}

<!-- or, where modules cannot be used, as a classic script: -->
${tag("defer", "hookwalk.classic.js")}

<!-- and then, as often as wanted: -->
<hookwalk-lab controls="full">
    wire client eth0=10.0.0.2/24
    host server eth0=10.0.0.1/24
    link client:eth0 server:eth0
    server# iptables -A INPUT -p udp --dport 53 -j DROP
    client&gt; udp 10.0.0.2:5000 &gt; 10.0.0.1:53 len=4
</hookwalk-lab>
`,
);

/** Below this a file is not worth a second one. */
const LEAST = 1024;
let [plain, gzip, brotli, count] = [0, 0, 0, 0];
for (const entry of readdirSync(join(dist, "site"), { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(html|js|css|wasm|svg|json|xml|txt|webmanifest|lab)$/.test(entry.name)) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const bytes = readFileSync(path);
  if (bytes.length < LEAST) continue;
  const gz = gzipSync(bytes, { level: 9 });
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  writeFileSync(`${path}.gz`, gz);
  writeFileSync(`${path}.br`, br);
  plain += bytes.length;
  gzip += gz.length;
  brotli += br.length;
  count++;
}
console.log(`   ${count} files: ${plain} bytes, ${gzip} as .gz, ${brotli} as .br`);
