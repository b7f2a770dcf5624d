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
  if (lang === "en" || lang === "zh") address.lang = lang;
  return address;
}

export function writeAddress(lab: string, player: Player): void {
  if (!lab) return;
  const parts = new URLSearchParams({ lab, at: String(player.at) });
  const host = player.lab?.stations[player.station]?.name;
  if (player.pinned && host) parts.set("host", host);
  const hash = `#${parts.toString()}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
}
