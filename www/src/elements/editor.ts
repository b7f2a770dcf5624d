/// The lab's text, to be read and changed. It runs as one types; a text with mistakes does not, each is underlined and
/// listed, and the run before stays in view. The editor itself (`../code`) is fetched when the panel is opened; until then,
/// and where it cannot be fetched, a plain text field does its work.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Code, Mark } from "../code/code.js";
import type { Change, Parting } from "../compare.js";
import type { Problem } from "../model.js";
import { Piece } from "../piece.js";
import "./changes.js";

/** What the app knows and the editor shows. */
export class Editor extends Piece {
  static override properties = {
    ...Piece.properties,
    problems: { attribute: false },
    changes: { attribute: false },
    undoable: { attribute: false },
    redoable: { attribute: false },
    text: { attribute: false },
    shown: { attribute: false },
    original: { attribute: false },
    written: { attribute: false },
    loaded: { state: true },
    form: { state: true },
  };
  declare problems: Problem[];
  declare changes: { counters: Change[]; parting: Parting | undefined } | undefined;
  declare undoable: boolean;
  declare redoable: boolean;
  /** The text as it is to be edited: the one that runs, or one with mistakes. */
  declare text: string;
  /** The panel is in view. */
  declare shown: boolean;
  /** The text is not the library's; there is one to go back to. */
  declare original: boolean;
  /** Lines that were written for the reader, from and to. */
  declare written: { from: number; to: number } | undefined;
  declare loaded: boolean;
  declare form: boolean;
  #code: Code | undefined;
  #fetched: Promise<void> | undefined;
  #of: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #marked: unknown;
  #line = 0;
  #took = 0;

  constructor() {
    super();
    this.text = "";
    this.problems = [];
  }

  protected override render(): TemplateResult {
    const problems = this.problems;
    const failures = this.player.lab?.failures ?? [];
    return html`
      <header class="head">
        <h2>${this.w("edit")}</h2>
        <button class="tool" aria-expanded=${this.form ? "true" : "false"} @click=${() => void this.forms()}>${this.w("add_line")}</button>
        <span class="pair">
          <button class="tool" ?disabled=${!this.undoable} @click=${() => this.dispatchEvent(new Event("undo"))}>${this.w("undo")}</button>
          <button class="tool" ?disabled=${!this.redoable} @click=${() => this.dispatchEvent(new Event("redo"))}>${this.w("redo")}</button>
        </span>
        <span class="pair">
          <label class="tool file"><span>${this.w("open_file")}</span><input type="file" class="sr" accept=".lab,.txt,text/plain" @change=${this.chosen} /></label>
          <button class="tool" @click=${() => this.dispatchEvent(new Event("save"))}>${this.w("save_file")}</button>
          ${this.original ? html`<button class="tool" @click=${() => this.dispatchEvent(new Event("reset"))}>${this.w("reset_lab")}</button>` : nothing}
        </span>
      </header>
      ${this.form ? html`<hw-forms .player=${this.player} .tick=${this.tick} .text=${this.text} @close=${() => (this.form = false)} @write=${() => (this.form = false)}></hw-forms>` : nothing}
      <div class="said">
        ${problems.length > 0
          ? html`<div class="problems" role="alert" tabindex="0" aria-label=${this.w("problems")}><p>${this.w("bad_lab")}</p>${this.list(problems)}</div>`
          : html`<hw-changes .player=${this.player} .tick=${this.tick} .changes=${this.changes}></hw-changes>
              ${failures.length > 0 ? html`<details class="problems soft"><summary>${this.w("lab_failures", { n: failures.length })}</summary>${this.list(failures)}</details>` : nothing}`}
      </div>
      <div class="code" data-ready=${this.loaded ? "1" : "0"}>
        <div class="mirror" ?hidden=${!this.loaded}></div>
        <textarea ?hidden=${this.loaded} aria-label=${this.w("edit_label")} spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"
          .value=${this.#code ? "" : this.text} @input=${(e: Event) => this.typed((e.target as HTMLTextAreaElement).value)}></textarea>
      </div>
      <p class="hint">${this.w("edit_keys")}</p>`;
  }

  private list(problems: Problem[]): TemplateResult {
    return html`<ul>${problems.slice(0, 20).map((p) => html`<li><button class="link" @click=${() => this.select(p)}>${this.w("line_col", { line: p.line, col: p.col })}</button>
      ${p.message}${p.hint ? html` <em>${p.hint}</em>` : nothing}</li>`)}</ul>`;
  }

  protected override updated(_: PropertyValues): void {
    if (this.shown && !this.#fetched) this.#fetched = this.fetch();
    const code = this.#code;
    if (!code) return;
    if (this.text !== this.#of) {
      this.#of = this.text;
      // What is being typed is ahead of what has run.
      if (this.#timer === undefined) code.set(this.text);
    }
    const failures = this.player.lab?.failures;
    const wrong = this.problems.length > 0 ? this.problems : failures;
    if (this.#marked !== wrong) {
      this.#marked = wrong;
      code.marks([
        ...this.problems.map((p): Mark => ({ ...p, severity: "error" })),
        ...(this.problems.length > 0 ? [] : (failures ?? []).map((p): Mark => ({ ...p, severity: "warning" }))),
        ...(this.problems.length > 0 ? [] : said(this.player.lab?.lines ?? [])),
      ]);
    }
    if (this.written) {
      code.shine(this.written.from, this.written.to);
      this.written = undefined;
    }
    const line = this.problems.length > 0 ? 0 : (this.player.view?.line ?? 0);
    if (this.shown && line !== this.#line) {
      this.#line = line;
      code.current(line, this.#timer === undefined && !this.contains(document.activeElement));
    }
  }

  private async fetch(): Promise<void> {
    try {
      const { Code } = await import("../code/code.js");
      const mirror = this.querySelector<HTMLElement>(".mirror");
      const area = this.querySelector("textarea");
      if (!mirror || !area) return;
      const focused = document.activeElement === area;
      this.#of = this.text;
      const root = mirror.shadowRoot ?? mirror.attachShadow({ mode: "open" });
      this.#code = new Code(root, area.value || this.text, {
        label: this.w("edit_label"),
        phrases: this.phrases,
        changed: (text) => this.typed(text),
        run: () => this.go(),
        complete: (text, line, col) => this.player.run?.complete?.(text, line, col),
      });
      this.loaded = true;
      if (focused) this.#code.focus();
    } catch {
      // The plain field stays.
      this.#fetched = undefined;
    }
  }
  /** Words of the editor's own controls. */
  private get phrases(): Record<string, string> {
    const words = { Find: "find", Replace: "find_replace", next: "find_next", previous: "find_previous", all: "find_all", "match case": "find_case", regexp: "find_regexp", "by word": "find_word", replace: "find_replace", "replace all": "find_replace_all", close: "close" } as const;
    return Object.fromEntries(Object.entries(words).map(([en, key]) => [en, this.w(key)]));
  }

  /** Typed text runs when the hand rests for a moment; the longer a run takes, the longer it waits. */
  private typed(text: string): void {
    this.dispatchEvent(new CustomEvent("draft", { detail: text }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.go(), Math.min(1500, Math.max(60, 4 * this.#took)));
  }
  private go(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#code?.text ?? this.querySelector("textarea")?.value ?? "";
    this.#of = text;
    const began = performance.now();
    this.dispatchEvent(new CustomEvent("run", { detail: text }));
    this.#took = performance.now() - began;
  }

  /** The forms are fetched when somebody wants one. */
  private async forms(): Promise<void> {
    if (!this.form) await import("./forms.js");
    this.form = !this.form;
    await this.updateComplete;
    this.querySelector<HTMLElement>("hw-forms select")?.focus();
  }

  private chosen = (e: Event): void => {
    const input = e.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) this.dispatchEvent(new CustomEvent("file", { detail: file, bubbles: true }));
    input.value = "";
  };

  private select(p: Problem): void {
    if (this.#code) return this.#code.select(p);
    const area = this.querySelector("textarea");
    if (!area) return;
    const lines = area.value.split("\n");
    const start = lines.slice(0, p.line - 1).reduce((n, l) => n + l.length + 1, 0) + p.col - 1;
    area.focus();
    area.setSelectionRange(start, start + Math.max(1, p.len));
  }
}

/** Commands that failed, with what they said: an error within what a restore reads is marked where the tool says it is. */
function said(lines: { line: number; output?: string; text: { text: string }[]; kind: string }[]): Mark[] {
  return lines.flatMap((l): Mark[] => {
    const output = l.output;
    if (l.kind !== "command" || !output || !/\n?\[exit [1-9]\d*\]$/.test(output)) return [];
    const message = output.replace(/\n?\[exit \d+\]$/, "");
    const text = l.text[0]?.text ?? "";
    const inner = /<</.test(text) ? /line:? (\d+)/.exec(message)?.[1] : undefined;
    return [{ line: l.line + Number(inner ?? 0), col: 1, len: inner ? 400 : [...text].length, message, severity: "warning" }];
  });
}

customElements.define("hw-editor", Editor);
