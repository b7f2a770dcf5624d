/// Where new lines of a lab go: what is typed or made by a form becomes part of the text, at the place where the run stands.
import type { LabView } from "./model.js";

const blank = (line: string | undefined): boolean => /^\s*(#.*)?$/.test(line ?? "");

/** Lines added to a text. */
export interface Inserted {
  text: string;
  /** The first and the last line that are new or other, from 1. */
  from: number;
  to: number;
}

/** After the line that ran last at a position, before what comes next; `ran` is that line's number, 0 for none. */
export function insertHere(lab: LabView, ran: number, added: string): Inserted {
  const lines = lab.text.split("\n");
  const next = lab.lines.find((l) => l.line > ran)?.line ?? lines.length + 1;
  let place = next - 1;
  // Blank lines and comments belong to what follows them.
  while (place > ran && blank(lines[place - 1])) place--;
  return splice(lines, place, added);
}

/** At the end of the text. */
export function insertEnd(text: string, added: string): Inserted {
  const lines = text.split("\n");
  let place = lines.length;
  while (place > 0 && lines[place - 1]!.trim() === "") place--;
  return splice(lines, place, added);
}

/** After the last declaration, where one looks for it. */
export function insertDeclared(text: string, added: string): Inserted {
  const lines = text.split("\n");
  const last = lines.findLastIndex((l) => /^\s*(host|wire|link|machine)\b/.test(l));
  return splice(lines, last + 1, added);
}

function splice(lines: string[], place: number, added: string): Inserted {
  const news = added.split("\n");
  const all = [...lines.slice(0, place), ...news, ...lines.slice(place)];
  // A file ends in a newline.
  if (all.at(-1) !== "") all.push("");
  return { text: all.join("\n"), from: place + 1, to: place + news.length };
}
