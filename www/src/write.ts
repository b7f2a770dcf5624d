/// Lines of the lab language, written from what stands in a form.

const word = (text: string): string => (/^[\w\-+=:,./@%^!~*?[\]{}\u0080-\uffff]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);

export interface RuleFields {
  host: string;
  tool: string;
  table: string;
  /** `-A` or `-I`. */
  at: string;
  chain: string;
  proto: string;
  src: string;
  dst: string;
  dport: string;
  in: string;
  out: string;
  state: string;
  target: string;
  /** Options of the target, as they are typed. */
  args: string;
  /** More conditions, as they are typed. */
  more: string;
}

/** `!` before a value turns its condition round. */
function condition(option: string, value: string): string {
  const not = /^!\s*/.exec(value);
  const rest = not ? value.slice(not[0].length) : value;
  return rest === "" ? "" : `${not ? "! " : ""}${option} ${word(rest)}`;
}

export function ruleLine(f: RuleFields): string {
  const ports = /^(tcp|udp|sctp|dccp|udplite)$/.test(f.proto);
  const parts = [
    `${f.host}# ${f.tool}`,
    f.table === "filter" ? "" : `-t ${f.table}`,
    `${f.at} ${word(f.chain)}`,
    condition("-s", f.src),
    condition("-d", f.dst),
    condition("-i", f.in),
    condition("-o", f.out),
    f.proto === "" ? "" : `-p ${f.proto === "icmp" && f.tool === "ip6tables" ? "ipv6-icmp" : f.proto}`,
    ports && f.dport !== "" ? (/[,]/.test(f.dport) ? `-m multiport ${condition("--dports", f.dport)}` : condition("--dport", f.dport)) : "",
    f.state === "" ? "" : `-m conntrack ${condition("--ctstate", f.state)}`,
    f.more,
    `-j ${word(f.target)}`,
    f.args,
  ];
  return parts.filter(Boolean).join(" ");
}

export interface PacketFields {
  from: string;
  kind: string;
  src: string;
  dst: string;
  sport: string;
  dport: string;
  flags: string;
  message: string;
  len: string;
  more: string;
}

const end = (addr: string, port: string): string => (addr.includes(":") ? `[${addr}]:${port}` : `${addr}:${port}`);

export function packetLine(f: PacketFields): string {
  const len = f.len === "" || f.len === "0" ? "" : `len=${f.len}`;
  const parts =
    f.kind === "reply"
      ? ["reply", f.flags, len, f.more]
      : f.kind === "tcp" || f.kind === "udp"
        ? [f.kind, `${end(f.src, f.sport)} > ${end(f.dst, f.dport)}`, f.kind === "tcp" ? f.flags : "", f.more, len]
        : [f.kind, `${f.src} > ${f.dst}`, f.message, f.more, len];
  return `${f.from}> ${parts.filter(Boolean).join(" ")}`;
}

export interface TalkFields {
  from: { name: string; kind: string };
  to: { name: string; kind: string } | undefined;
  kind: string;
  src: string;
  dst: string;
  sport: string;
  dport: string;
  len: string;
  /** `fin`, `rst` or `open`. */
  close: string;
  /** Does the receiver listen on this port already? */
  listens(port: string): boolean;
}

/** A whole conversation: a listener where the receiver is a host, and the packets or the program of the sender. */
export function conversation(f: TalkFields): string {
  const lines: string[] = [];
  const answers = f.to?.kind === "wire" ? f.to.name : undefined;
  if (f.to?.kind === "host" && !f.listens(f.dport)) lines.push(`${f.to.name}$ listen ${f.kind}/${f.dport}${f.kind === "udp" ? " echo" : ""}`);
  const len = f.len === "" || f.len === "0" ? "" : ` len=${f.len}`;
  // A host has a stack of its own: its program speaks.
  if (f.from.kind === "host" && answers === undefined) {
    lines.push(`${f.from.name}$ ${f.kind === "udp" ? `nc -u ${f.dst} ${f.dport}` : `nc ${f.dst} ${f.dport}`}`);
    return lines.join("\n");
  }
  if (f.kind === "udp") {
    lines.push(`${f.from.name}> udp ${end(f.src, f.sport)} > ${end(f.dst, f.dport)}${len}`);
    if (answers) lines.push(`${answers}> reply${len}`);
    return lines.join("\n");
  }
  const say = (name: string | undefined, text: string): void => {
    if (name !== undefined) lines.push(`${name}> reply ${text}`);
  };
  lines.push(`${f.from.name}> tcp ${end(f.src, f.sport)} > ${end(f.dst, f.dport)} S seq=1000 mss=1460`);
  say(answers, "S.");
  say(f.from.name, ".");
  say(f.from.name, `P.${len}`);
  say(answers, ".");
  if (f.close === "rst") say(f.from.name, "R.");
  else if (f.close === "fin") {
    say(f.from.name, "F.");
    say(answers, "F.");
    say(f.from.name, ".");
  }
  return lines.join("\n");
}

/** A name that nobody has: the word itself, else with a number. */
export function freeName(word: string, used: string[], from = 1): string {
  if (from === 1 && !used.includes(word)) return word;
  for (let n = from === 1 ? 2 : from; ; n++) if (!used.includes(`${word}${n}`)) return `${word}${n}`;
}

/** An IPv4 address of the network of `like` that nobody has, with the network's length. */
export function freeAddress(like: string, used: string[]): string {
  const [addr = "10.0.0.1", len = "24"] = like.split("/");
  const bits = 32 - Number(len);
  const number = addr.split(".").reduce((n, part) => n * 256 + Number(part), 0);
  const size = 2 ** Math.min(bits, 16);
  const base = Math.floor(number / size) * size;
  const taken = new Set(used.map((a) => a.replace(/\/.*/, "")));
  for (let i = 1; i < size - 1; i++) {
    const one = [24, 16, 8, 0].map((shift) => Math.floor((base + i) / 2 ** shift) % 256).join(".");
    if (!taken.has(one)) return `${one}/${len}`;
  }
  return like;
}

/** The first three numbers of a private network that nobody is in. */
export function freeNet(used: string[]): string {
  for (let n = 1; n < 255; n++) if (!used.some((a) => a.startsWith(`10.${n}.0.`))) return `10.${n}.0`;
  return "192.168.77";
}

/** A source port that the text does not name yet. */
export function nextPort(text: string): number {
  let port = 40000;
  while (text.includes(`:${port}`) && port < 65000) port++;
  return port;
}
