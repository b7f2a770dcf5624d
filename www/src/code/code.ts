/// The editor proper: CodeMirror, fetched when a text is to be edited. It lives in a shadow root, where its styles are
/// adopted sheets, so that the page's policy needs no exception for them.
import { acceptCompletion, autocompletion, closeCompletion, completionKeymap, selectedCompletion, startCompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, EditorState, StateEffect, StateField, type Extension, type Text } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, type DecorationSet } from "@codemirror/view";
import type { CompletionView, Problem } from "../model.js";
import { labLanguage } from "./language.js";
import { theme } from "./theme.js";

/** A mark in the text: what is wrong, and how much. */
export interface Mark extends Problem {
  severity: "error" | "warning";
}

export interface Asked {
  /** The name by which assistive technology calls it. */
  label: string;
  /** Words of the editor's own controls by their English ones. */
  phrases: Record<string, string>;
  /** The text changed by a person's hand. */
  changed(text: string): void;
  /** Run at once. */
  run(): void;
  /** What can stand at a place: line and column from 1. */
  complete(text: string, line: number, col: number): CompletionView | undefined;
  /** The cursor came to another line. */
  at?(line: number): void;
}

/** The text was put there by the page. */
const given = Annotation.define<boolean>();
const shine = StateEffect.define<{ from: number; to: number } | null>();
const current = StateEffect.define<number>();

const shining = Decoration.line({ class: "hw-new" });
const running = Decoration.line({ class: "hw-now" });

/** Lines that were written for somebody, until the next change. */
const shone = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, tr) {
    for (const effect of tr.effects) {
      if (!effect.is(shine)) continue;
      if (!effect.value) return Decoration.none;
      const lines = [];
      for (let n = effect.value.from; n <= Math.min(effect.value.to, tr.state.doc.lines); n++) lines.push(shining.range(tr.state.doc.line(n).from));
      return Decoration.set(lines);
    }
    return tr.docChanged && !tr.annotation(given) ? Decoration.none : marks.map(tr.changes);
  },
  provide: (f) => EditorView.decorations.from(f),
});

/** The line that the position of the run is in. */
const now = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, tr) {
    for (const effect of tr.effects) {
      if (!effect.is(current)) continue;
      const n = effect.value;
      return n >= 1 && n <= tr.state.doc.lines ? Decoration.set([running.range(tr.state.doc.line(n).from)]) : Decoration.none;
    }
    return marks.map(tr.changes);
  },
  provide: (f) => EditorView.decorations.from(f),
});

export class Code {
  readonly #view: EditorView;
  readonly #asked: Asked;

  constructor(parent: ShadowRoot, text: string, asked: Asked) {
    this.#asked = asked;
    const extensions: Extension = [
      lineNumbers(),
      highlightActiveLineGutter(),
      highlightActiveLine(),
      drawSelection(),
      history(),
      labLanguage,
      theme,
      lintGutter(),
      highlightSelectionMatches(),
      search({ top: true }),
      shone,
      now,
      EditorState.phrases.of(asked.phrases),
      autocompletion({ override: [(c) => this.#complete(c)], activateOnCompletion: (c) => typeof c.label === "string" && /[ =]$/.test(c.label), icons: false, defaultKeymap: false }),
      EditorView.lineWrapping,
      keymap.of([
        { key: "Mod-Enter", run: () => (asked.run(), true) },
        // With no list open Tab goes on to the next control, as everywhere on the page.
        { key: "Tab", run: acceptCompletion },
        { key: "Enter", run: accept },
        ...completionKeymap.filter((k) => k.key !== "Enter"),
        ...defaultKeymap,
        ...historyKeymap,
        ...searchKeymap,
        ...lintKeymap,
      ]),
      EditorView.contentAttributes.of({ "aria-label": asked.label, tabindex: "0", autocapitalize: "off", autocorrect: "off", spellcheck: "false", translate: "no" }),
      EditorView.updateListener.of((u) => {
        if (u.docChanged && !u.transactions.every((t) => t.annotation(given))) asked.changed(u.state.doc.toString());
        // A path goes on where it ends: after a statement and its blank the next choices show.
        if (u.docChanged && u.transactions.some((t) => t.isUserEvent("input.type")) && this.#opens(u.state)) startCompletion(u.view);
        if (u.selectionSet || u.docChanged) asked.at?.(u.state.doc.lineAt(u.state.selection.main.head).number);
      }),
    ];
    this.#view = new EditorView({ parent, root: parent, state: EditorState.create({ doc: text, extensions }) });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** Puts another text there; what stays the same stays selected, scrolled and undoable. */
  set(text: string): void {
    const doc = this.#view.state.doc;
    const old = doc.toString();
    if (old === text) return;
    let from = 0;
    while (from < old.length && from < text.length && old[from] === text[from]) from++;
    let [a, b] = [old.length, text.length];
    while (a > from && b > from && old[a - 1] === text[b - 1]) (a--, b--);
    this.#view.dispatch({ changes: { from, to: a, insert: text.slice(from, b) }, annotations: given.of(true) });
  }

  /** Underlines what is wrong. */
  marks(marks: Mark[]): void {
    const doc = this.#view.state.doc;
    const diagnostics = marks
      .filter((m) => m.line <= doc.lines)
      .map((m): Diagnostic => {
        const { from, to } = place(doc, m);
        return { from, to, severity: m.severity, message: m.hint ? `${m.message}\n${m.hint}` : m.message };
      })
      .sort((a, b) => a.from - b.from);
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  /** Marks lines that were just written, and brings them into view. */
  shine(from: number, to: number): void {
    const { doc } = this.#view.state;
    if (from < 1 || from > doc.lines) return;
    this.#view.dispatch({ effects: [shine.of({ from, to }), EditorView.scrollIntoView(doc.line(from).from, { y: "center" })] });
  }

  /** Marks the line that runs. */
  current(line: number, follow: boolean): void {
    const { doc } = this.#view.state;
    const effects: StateEffect<unknown>[] = [current.of(line)];
    if (follow && line >= 1 && line <= doc.lines) effects.push(EditorView.scrollIntoView(doc.line(line).from, { y: "nearest", yMargin: 40 }));
    this.#view.dispatch({ effects });
  }

  /** Goes to a place, from 1. */
  select(mark: Pick<Problem, "line" | "col" | "len">): void {
    const { doc } = this.#view.state;
    if (mark.line > doc.lines) return;
    const { from, to } = place(doc, mark);
    this.#view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.#view.focus();
  }

  focus(): void {
    this.#view.focus();
  }
  /** Lists that are open close. */
  close(): void {
    closeCompletion(this.#view);
  }
  destroy(): void {
    this.#view.destroy();
  }

  /** Has somebody come to where a word begins that has a list of its own? */
  #opens(state: EditorState): boolean {
    const { head } = state.selection.main;
    const line = state.doc.lineAt(head);
    const before = line.text.slice(0, head - line.from);
    return /(^|\s)-?-$/.test(before) || (/\s$/.test(before) && /^\w+[#$>]\s|^link\s/.test(before) && head === line.to);
  }

  #complete(context: CompletionContext): CompletionResult | null {
    const { state, pos } = context;
    const line = state.doc.lineAt(pos);
    const before = line.text.slice(0, pos - line.from);
    // An empty line is not a question, unless somebody asks.
    if (before.trim() === "" && !context.explicit) return null;
    const found = this.#asked.complete(state.doc.toString(), line.number, [...before].length + 1);
    if (!found || found.choices.length === 0) return null;
    const from = line.from + [...line.text].slice(0, found.from - 1).join("").length;
    if (found.choices.length === 1 && found.choices[0]!.text === state.sliceDoc(from, pos)) return null;
    const options = found.choices.map((c, i): Completion => ({ label: c.text, type: c.kind, detail: c.detail, boost: -i / 10 }));
    return { from, options, validFor: /^[\w.:[\]/=,-]*$/ };
  }
}

/** Takes the choice; where it stands there already, Enter is what it always is. */
function accept(view: EditorView): boolean {
  const chosen = selectedCompletion(view.state);
  if (!chosen) return false;
  const { head } = view.state.selection.main;
  if (view.state.sliceDoc(Math.max(0, head - chosen.label.length), head) === chosen.label) {
    closeCompletion(view);
    return false;
  }
  return acceptCompletion(view);
}

/** Where a mark lies; columns count characters, not halves of them. */
function place(doc: Text, mark: Pick<Problem, "line" | "col" | "len">): { from: number; to: number } {
  const line = doc.line(Math.max(1, Math.min(mark.line, doc.lines)));
  const chars = [...line.text];
  const start = chars.slice(0, mark.col - 1).join("").length;
  const len = chars.slice(mark.col - 1, mark.col - 1 + mark.len).join("").length;
  const from = Math.min(line.to, line.from + start);
  return { from, to: Math.min(line.to, Math.max(from + 1, from + len)) };
}
