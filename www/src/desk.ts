/// The text on the desk: which lab it is, what of it runs, how it was before, and what a change made different. Every way
/// to change a lab (the editor, forms, the terminal, a file, a link) ends here. The page draws what this says.
import { counters, differences, parting, samePlace, type Change, type Parting } from "./compare.js";
import { insertHere, type Inserted } from "./insert.js";
import { draft, keepDraft, OWN, visit } from "./keep.js";
import { labText } from "./library.js";
import type { Opened, Problem } from "./model.js";
import type { Player } from "./player.js";

/** Turns a lab's text into a run. */
export type Open = (text: string) => Opened;

/** No lab is longer; a file of another kind is. */
const MOST = 4_000_000;

export class Desk {
  /** The lab's name in the library; [`OWN`] for a text that is not from there; empty before the first. */
  name = "";
  /** The text as it is edited; it may have mistakes, then what runs is an earlier one. */
  text = "";
  problems: Problem[] = [];
  changes: { counters: Change[]; parting: Parting | undefined } | undefined;
  /** Lines that were just written for the reader. */
  written: { from: number; to: number } | undefined;
  /** The simulator, once it is here. */
  open: Open | undefined;
  #original: string | undefined;
  #past: string[] = [];
  #future: string[] = [];
  #typing = 0;

  constructor(
    private readonly player: Player,
    private readonly told: () => void,
  ) {}

  get undoable(): boolean {
    return this.#past.length > 0;
  }
  get redoable(): boolean {
    return this.#future.length > 0;
  }
  /** Is it the library's no more, so that there is something to go back to? */
  get edited(): boolean {
    return this.#original !== undefined && this.text !== this.#original;
  }
  /** Does a link need the text itself? */
  get foreign(): boolean {
    return this.name === OWN || this.edited;
  }

  /** Opens a lab of the library, as the reader left it. */
  async load(name: string, at?: number, host?: string): Promise<void> {
    const original = await labText(name);
    const kept = draft(name);
    this.#begin(name, original);
    if (kept !== null && kept !== original) {
      if (this.run(kept, at, host)) return this.told();
      // A draft with mistakes: the library's text runs, the draft stays on the desk.
      const { problems } = this;
      this.run(original, at, host);
      this.text = kept;
      this.problems = problems;
      return this.told();
    }
    this.run(original, at, host);
    this.told();
  }

  /** Opens a text that is in no library. False: it has mistakes, and stands in the editor with them. */
  own(text: string, at?: number, host?: string): boolean {
    this.#begin(OWN, undefined);
    const good = this.run(text, at, host);
    this.text = text;
    keepDraft(OWN, text);
    this.told();
    return good;
  }

  #begin(name: string, original: string | undefined): void {
    this.name = name;
    this.#original = original;
    this.#past = [];
    this.#future = [];
    this.changes = undefined;
    this.written = undefined;
  }

  /** Runs a text; where it has mistakes, says them and keeps what there is. */
  run(text: string, at?: number, host?: string): boolean {
    const opened = this.open?.(text);
    if (!opened) return false;
    this.text = text;
    if (!opened.ok) {
      this.problems = opened.problems;
      return false;
    }
    this.problems = [];
    const station = host ? opened.run.lab.stations.findIndex((s) => s.name === host) : -1;
    this.player.open(opened.run, at, station);
    return true;
  }

  /** What is being typed, before it runs: nothing of it is lost when the page is closed now. */
  draft(text: string): void {
    this.text = text;
    this.#keep();
  }
  #keep(): void {
    if (this.name !== "") keepDraft(this.name, this.#original !== undefined && this.text === this.#original ? undefined : this.text);
  }

  /** Runs another text at the same place, and says what became different; can be taken back. */
  change(text: string, typing = false): boolean {
    const before = this.player.run;
    if (!before) return false;
    const old = before.lab.text;
    this.text = text;
    this.#keep();
    if (text === old) {
      this.problems = [];
      this.told();
      return true;
    }
    const { at, station, pinned } = this.player;
    const host = pinned ? before.lab.stations[station]?.name : undefined;
    const opened = this.open?.(text);
    if (!opened?.ok) {
      this.problems = opened?.problems ?? [];
      this.told();
      return false;
    }
    this.problems = [];
    const index = host ? opened.run.lab.stations.findIndex((s) => s.name === host) : -1;
    this.player.open(opened.run, samePlace(before.lab, opened.run.lab, at), index);
    // What is typed in one go is taken back in one go.
    const now = performance.now();
    if (!typing || now - this.#typing > 2500 || this.#past.length === 0) this.#past.push(old);
    this.#typing = typing ? now : 0;
    this.#future = [];
    this.changes = { counters: differences(counters(before), counters(opened.run)), parting: parting(before, opened.run) };
    this.told();
    return true;
  }

  undo(): void {
    this.#swap(this.#past, this.#future);
  }
  redo(): void {
    this.#swap(this.#future, this.#past);
  }
  #swap(from: string[], to: string[]): void {
    const text = from.pop();
    const before = this.player.run;
    if (text === undefined || !before) return;
    to.push(before.lab.text);
    const past = this.#past.slice();
    const future = this.#future.slice();
    this.change(text);
    this.#past = past;
    this.#future = future;
    this.#typing = 0;
  }

  /**
   * A line typed at a prompt becomes part of the lab, after the line that ran last, and runs. Gives what is wrong with it
   * where it cannot be: it is no line of a lab, or not simulated. The lab then stays as it was.
   */
  typed(line: string): Problem[] {
    const { lab, view, at } = this.player;
    if (!lab) return [];
    const kept = this.text;
    const wrong = this.problems;
    const inserted = insertHere(lab, view?.line ?? 0, line);
    if (!this.change(inserted.text)) {
      const problems = this.problems;
      this.text = kept;
      this.problems = wrong;
      this.#keep();
      this.told();
      return problems;
    }
    const refused = (this.player.lab?.failures ?? []).filter((f) => f.line >= inserted.from && f.line <= inserted.to);
    if (refused.length > 0) {
      const [past, future] = [this.#past.slice(0, -1), this.#future];
      this.change(lab.text);
      this.#past = past;
      this.#future = future;
      this.player.seek(at);
      return refused;
    }
    this.written = { from: inserted.from, to: inserted.to };
    const now = this.player.lab?.lines.find((l) => l.line >= inserted.from);
    if (now) this.player.seek(now.at);
    this.told();
    return [];
  }

  /** Lines made by a form. */
  write(inserted: Inserted): boolean {
    const good = this.change(inserted.text);
    this.written = { from: inserted.from, to: inserted.to };
    this.told();
    return good;
  }

  /** Back to the library's text; can be taken back too. */
  reset(): void {
    if (this.#original !== undefined) this.change(this.#original);
  }

  /** The text as a file of the reader's own. */
  save(): void {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.text], { type: "text/plain" }));
    link.download = `${this.name === OWN || this.name === "" ? "mine" : this.name}.lab`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /** Opens a file; tells whether it is text at all. */
  async file(file: Blob): Promise<"opened" | "mistakes" | "not_text"> {
    if (file.size > MOST) return "not_text";
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
      return this.own(text) ? "opened" : "mistakes";
    } catch {
      return "not_text";
    }
  }

  /** Keeps how a prediction came out; the first one counts. */
  predicted(line: number, right: boolean): void {
    if (this.name === "") return;
    visit(this.name, (v) => {
      v.told ??= {};
      v.told[line] ??= right;
    });
  }

  /** Keeps where the reader is. */
  visited(): void {
    const { at, len } = this.player;
    if (this.name === "" || len === 0) return;
    visit(this.name, (v) => {
      v.at = at;
      if (at >= len) v.over = true;
    });
  }
}
