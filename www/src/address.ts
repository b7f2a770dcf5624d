/// The address of a step: everything after `#`, so that no server ever sees it. It begins with the version of its form,
/// `#v=1&lab=redirect&at=12`; addresses from before there were versions have the same parts without it, and stay good.
import type { Lang } from "./i18n.js";
import type { Player } from "./player.js";

/** The form that is written. */
export const VERSION = "1";
/** No text from a link is longer, in bytes: forty times the longest lab of the library. */
export const MOST = 256 * 1024;

export interface Address {
  lab?: string;
  at?: number;
  host?: string;
  lang?: Lang;
  text?: string;
  /** The form is one that only a newer page reads: nothing else of it was read. */
  unknown?: string;
}

export function readAddress(hash: string = location.hash): Address {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const version = given.get("v");
  if (version !== null && version !== VERSION) return { unknown: version.slice(0, 12) };
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
  const bytes = new Uint8Array(await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer());
  // Piece by piece: a call takes only so many arguments.
  let binary = "";
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Why a link's text is not shown. */
export class LinkError extends Error {
  constructor(readonly why: "broken" | "large") {
    super(why === "large" ? `the lab in this link is longer than ${MOST} bytes` : "the text in this link is cut off or damaged");
  }
}

/**
 * The text of such a link. It is unpacked piece by piece and given up at [`MOST`] bytes, so that a small link cannot
 * become a huge text.
 */
export async function unpack(packed: string): Promise<string> {
  // Base64 is longer than its bytes, and deflate hardly ever makes bytes more: nothing good is this long.
  if (packed.length > 2 * MOST) throw new LinkError("large");
  let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  try {
    const bytes = Uint8Array.from(atob(packed.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length;
      if (size > MOST) throw new LinkError("large");
      parts.push(next.value);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await new Blob(parts).arrayBuffer());
  } catch (e) {
    void reader?.cancel().catch(() => undefined);
    throw e instanceof LinkError ? e : new LinkError("broken");
  }
}

/** The part after `#` that leads back to this step; for a text that is in no library, the text goes along. */
export async function addressOf(lab: string, player: Player, foreign: boolean): Promise<string> {
  return foreign ? fragment({ at: String(player.at), text: await pack(player.lab?.text ?? "") }, player) : fragment({ lab, at: String(player.at) }, player);
}

function fragment(what: Record<string, string>, player: Player): string {
  const parts = new URLSearchParams({ v: VERSION, ...what });
  const host = player.lab?.stations[player.station]?.name;
  if (player.pinned && host) parts.set("host", host);
  return `#${parts.toString()}`;
}

export function writeAddress(lab: string, player: Player): void {
  if (!lab) return;
  const hash = fragment({ lab, at: String(player.at) }, player);
  if (location.hash !== hash) history.replaceState(null, "", hash);
}
