/// What the last change made different: the first packet that goes another way now, and what rules count at the end.
import { html, nothing, type TemplateResult } from "lit";
import type { Change, Parting } from "../compare.js";
import { phrase } from "../i18n.js";
import { Piece } from "../piece.js";

export class Changes extends Piece {
  static override properties = { ...Piece.properties, changes: { attribute: false } };
  declare changes: { counters: Change[]; parting: Parting | undefined } | undefined;

  protected override render(): TemplateResult {
    const { counters = [], parting } = this.changes ?? {};
    if (counters.length === 0 && !parting) return html``;
    return html`<div class="changes" tabindex="0" role="group" aria-label=${this.w("changes")}>
      ${parting ? this.parting(parting) : nothing}
      ${counters.length > 0
        ? html`<p>${this.w("changes")}</p><ul>
            ${counters.slice(0, 60).map((c) => html`<li><b>${c.before ?? "–"} → ${c.after ?? "–"}</b> ${c.where} <code>${c.rule}</code></li>`)}
            ${counters.length > 60 ? html`<li>${this.w("more", { n: counters.length - 60 })}</li>` : nothing}
          </ul>`
        : nothing}
    </div>`;
  }

  private parting({ number, kind, before, after, at }: Parting): TemplateResult {
    const lang = this.language;
    return html`<p class="parting"><strong>${this.w(kind === "other" ? "parts_other" : kind === "new" ? "parts_new" : "parts_gone", { n: number })}</strong>
      ${at === undefined ? nothing : html`<button class="link" @click=${() => this.player.seek(at)}>${this.w("show_step", { n: at })}</button>`}</p>
      <dl>${before ? html`<dt>${this.w("before")}</dt><dd>${phrase(lang, before)}</dd>` : nothing}
      ${after ? html`<dt>${this.w("now")}</dt><dd>${phrase(lang, after)}</dd>` : nothing}</dl>`;
  }
}
customElements.define("hw-changes", Changes);
