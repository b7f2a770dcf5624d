/// The lab's text, to be read and changed. A text with mistakes is not run: each is named with line and column.
import { html, nothing, type TemplateResult } from "lit";
import type { Change } from "../compare.js";
import type { Problem } from "../model.js";
import { Piece } from "../piece.js";

export class Editor extends Piece {
  static override properties = {
    ...Piece.properties,
    problems: { attribute: false },
    changes: { attribute: false },
    undoable: { attribute: false },
    redoable: { attribute: false },
  };
  declare problems: Problem[];
  declare changes: Change[];
  declare undoable: boolean;
  declare redoable: boolean;
  #of: string | undefined;

  protected override render(): TemplateResult {
    const text = this.player.lab?.text ?? "";
    // Another lab replaces what was typed; a new position does not.
    const fresh = this.#of !== text;
    if (fresh) this.#of = text;
    const area = this.querySelector("textarea");
    if (fresh && area) area.value = text;
    const problems = this.problems ?? [];
    return html`
      <header class="head">
        <h2>${this.w("edit")}</h2>
        <button class="tool" title="Ctrl+Enter" @click=${this.go}>${this.w("run")}</button>
        <button class="tool" ?disabled=${!this.undoable} @click=${() => this.dispatchEvent(new Event("undo"))}>${this.w("undo")}</button>
        <button class="tool" ?disabled=${!this.redoable} @click=${() => this.dispatchEvent(new Event("redo"))}>${this.w("redo")}</button>
      </header>
      ${problems.length > 0
        ? html`<div class="problems" role="alert"><p>${this.w("bad_lab")}</p><ul>
            ${problems.slice(0, 20).map((p) => html`<li><button class="link" @click=${() => this.select(p)}>${this.w("line_col", { line: p.line, col: p.col })}</button>
              ${p.message}${p.hint ? html` <em>${p.hint}</em>` : nothing}</li>`)}
          </ul></div>`
        : nothing}
      ${this.changes?.length > 0 && problems.length === 0
        ? html`<div class="changes" tabindex="0" role="group" aria-label=${this.w("changes")}><p>${this.w("changes")}</p><ul>
            ${this.changes.map((c) => html`<li><b>${c.before ?? "—"} → ${c.after ?? "—"}</b> ${c.where} <code>${c.rule}</code></li>`)}
          </ul></div>`
        : nothing}
      <textarea aria-label=${this.w("edit_label")} spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"
        .defaultValue=${text} @keydown=${(e: KeyboardEvent) => {
          if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) this.go();
        }}></textarea>`;
  }

  private go = (): void => {
    const text = this.querySelector("textarea")?.value ?? "";
    this.dispatchEvent(new CustomEvent("run", { detail: text }));
  };

  private select(p: Problem): void {
    const area = this.querySelector("textarea");
    if (!area) return;
    const lines = area.value.split("\n");
    const start = lines.slice(0, p.line - 1).reduce((n, l) => n + l.length + 1, 0) + p.col - 1;
    area.focus();
    area.setSelectionRange(start, start + Math.max(1, p.len));
  }
}

customElements.define("hw-editor", Editor);
