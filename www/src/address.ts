/// The address of a step: everything after `#`, so that no server ever sees it.
import type { Lang } from "./i18n.js";
import type { Player } from "./player.js";

export interface Address {
  lab?: string;
  at?: number;
  host?: string;
  lang?: Lang;
  text?: string;
}

export function readAddress(hash: string = location.hash): Address {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const at = Number(given.get("at"));
  const lang = given.get("lang");
  const address: Address = {};
  const lab = given.get("lab");
  const host = given.get("host");
  if (lab) address.lab = lab;
  if (given.has("at") && Number.isSafeInteger(at) && at >= 0) address.at = at;
  if (host) address.host = host;
  const text = given.get("text");
  if (text) address.text = text;
  if (lang === "en" || lang === "zh") address.lang = lang;
  return address;
}

/** A lab's text, small enough for a link. */
export async function pack(text: string): Promise<string> {
  const bytes = await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer();
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
/** The text of such a link; a limit keeps a small link from becoming a huge text. */
export async function unpack(packed: string): Promise<string> {
  const bytes = Uint8Array.from(atob(packed.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > 1_000_000) throw new Error("the lab in this link is too large");
    parts.push(next.value);
  }
  return new Blob(parts).text();
}

/** The address of a step of a text that is in no library: the text goes along. */
export async function shareText(player: Player): Promise<void> {
  const parts = new URLSearchParams({ at: String(player.at), text: await pack(player.lab?.text ?? "") });
  history.replaceState(null, "", `#${parts.toString()}`);
}

export function writeAddress(lab: string, player: Player): void {
  if (!lab) return;
  const parts = new URLSearchParams({ lab, at: String(player.at) });
  const host = player.lab?.stations[player.station]?.name;
  if (player.pinned && host) parts.set("host", host);
  const hash = `#${parts.toString()}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}
