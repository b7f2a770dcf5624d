/// The pictures of the story pages: one telling moment of each lab, drawn by the same wasm package that the page runs, and
/// a PNG of it for those who show a preview of a shared address and read no SVG.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { EventView, Hookwalk } from "../pkg/hookwalk.js";
import { phrase } from "../src/i18n.js";
import type { Lang } from "./lab.js";

/** A moment in a picture, and what it shows in words. */
export interface Picture {
  svg: string;
  words: string;
}

/** Draws labs; the package must have been made before. */
export async function artist(www: string): Promise<(text: string) => Record<Lang | "plain", Picture>> {
  const pkg = (file: string): string => join(www, "pkg", file);
  const { initSync, Hookwalk } = (await import(pathToFileURL(pkg("hookwalk.js")).href)) as typeof import("../pkg/hookwalk.js");
  initSync({ module: readFileSync(pkg("hookwalk_bg.wasm")) });
  return (text) => {
    const walk = Hookwalk.open(text);
    const event = moment(walk);
    const lab = walk.lab();
    const hosts = lab.stations.findIndex((s) => s.kind === "host");
    const host = lab.stations[event?.station ?? -1]?.kind === "host" ? event!.station : hosts;
    const draw = (lang: Lang, plain: boolean): Picture => {
      const words = event ? phrase(lang, event.fact) : "";
      return { words, svg: walk.picture(event ? event.n + 1 : 0, host, lang === "zh", plain ? "" : words, 960) };
    };
    const drawn = { en: draw("en", false), zh: draw("zh", false), plain: draw("en", true) };
    walk.free();
    return drawn;
  };
}

/** The event that tells most: a packet is dropped; else nat stands aside; else an address is rewritten; else the first turn. */
function moment(walk: Hookwalk): EventView | undefined {
  const events = walk.events(0, Math.min(walk.lab().len, 4000));
  const rank = ({ kind, tone, weight, hook }: EventView): number => {
    if (!hook) return 0;
    if (tone === "bad") return 4;
    if (kind === "NatSkipped") return 3;
    if (kind === "Rewrite") return 2;
    return weight >= 2 ? 1 : 0;
  };
  return events.reduce<EventView | undefined>((best, e) => (rank(e) > (best ? rank(best) : 0) ? e : best), undefined);
}

/** What a preview shows: 1200 by 630, as the sites that show them want it. */
const SIZE = { width: 1200, height: 630 };

/** Turns pictures into PNGs: with fonts of its own, so that every machine makes the same bytes. */
export async function painter(): Promise<(svg: string) => Uint8Array> {
  const require = createRequire(import.meta.url);
  const { initWasm, Resvg } = await import("@resvg/resvg-wasm");
  await initWasm(readFileSync(require.resolve("@resvg/resvg-wasm/index_bg.wasm"))).catch((e: unknown) => {
    // It may be made ready only once; a second build in one process finds it ready.
    if (!/Already initialized/.test(String(e))) throw e;
  });
  const fonts = ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-Bold"].map((f) => readFileSync(require.resolve(`dejavu-fonts-ttf/ttf/${f}.ttf`)));
  return (svg) => {
    const [, w, h] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!.map(Number) as [number, number, number];
    const scale = Math.min(SIZE.width / w, SIZE.height / h);
    const [x, y] = [(SIZE.width - w * scale) / 2, (SIZE.height - h * scale) / 2];
    // Titles are in a language; the name is not. Paper all around.
    const inner = svg.replace(/<text class="t"([^>]*)>[^<]*<\/text>/, '<text class="t"$1>Hookwalk</text>').replace(/<svg /, `<svg x="${x}" y="${y}" `).replace(/ width="[\d.]+" height="[\d.]+" role/, ` width="${w * scale}" height="${h * scale}" role`);
    const whole = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE.width}" height="${SIZE.height}"><rect width="100%" height="100%" fill="#f7f6f2"/>${inner}</svg>`;
    const font = { fontBuffers: fonts, loadSystemFonts: false, defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans", monospaceFamily: "DejaVu Sans Mono" };
    return new Resvg(whole, { font }).render().asPng();
  };
}
