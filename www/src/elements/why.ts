/// Why: the answer to a question about a number, a rule, a chain or a packet. Reasons lead to where they can be seen.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { phraseFrom, whyWords, type Phrases } from "../i18n.js";
import type { Fact, WhyView } from "../model.js";
import { Piece } from "../piece.js";

export class Why extends Piece {
  static override properties = { ...Piece.properties, asked: { attribute: false }, phrases: { state: true } };
  /** The question, as `hookwalk why` takes it. */
  declare asked: string;
  /** The words of the answers; they are fetched with the first question. */
  declare phrases: Phrases | undefined;
  #answer: { key: string; view: WhyView } | undefined;
  #lang = "";

  protected override willUpdate(_: PropertyValues): void {
    if (this.#lang === this.language) return;
    this.#lang = this.language;
    void whyWords(this.language).then((phrases) => (this.phrases = phrases));
  }

  protected override render(): TemplateResult {
    const { run, lab } = this.player;
    if (!run || !lab || !this.phrases) return html``;
    // A number is explained as it stands here; a packet's way is the same from everywhere.
    const at = this.asked.startsWith("packet ") ? this.player.len : this.player.at;
    const key = `${this.asked}/${at}/${lab.text}`;
    if (this.#answer?.key !== key) this.#answer = { key, view: run.why(this.asked, at) };
    const { headline, reasons, remedies, problem } = this.#answer.view;
    return html`<section class="why" role="dialog" aria-label=${this.w("why_label")}>
      <header class="head"><h2>${this.w("why")}</h2><code>${this.asked}</code>
        <button class="tool" aria-label=${this.w("close")} @click=${() => this.dispatchEvent(new Event("close"))}>✕</button></header>
      <p class="headline">${problem ?? (headline ? this.say(headline) : "")}</p>
      <ol>
        ${reasons.map((r) => {
          const at = r.at ?? undefined;
          const words = this.say(r.fact);
          return html`<li>${at === undefined ? words : html`<button class="reason" aria-current=${this.player.at === at ? "step" : "false"} @click=${() => {
            this.player.pause();
            this.player.seek(at);
          }}>${words}<span class="go">${this.w("step_short", { n: at })}</span></button>`}</li>`;
        })}
      </ol>
      ${remedies.length > 0 ? html`<h3>${this.w("remedies")}</h3><ul>${remedies.map((r) => this.remedy(r))}</ul>` : nothing}
    </section>`;
  }

  private say(fact: Fact): string {
    if (this.language !== "en") return phraseFrom(this.phrases ?? {}, fact);
    // The list of packets is bare numbers; English wants to know whether it is one.
    const args = fact.args.map(([k, v]): [string, string] => [k, k === "packet_list" ? `${/^\d+$/.test(v) ? "packet" : "packets"} ${v}` : v]);
    const words = phraseFrom(this.phrases ?? {}, { key: fact.key, args });
    return words.startsWith("packet") ? words[0]!.toUpperCase() + words.slice(1) : words;
  }

  private remedy(fact: Fact): TemplateResult {
    const command = fact.args.find(([k]) => k === "command")?.[1];
    const host = this.player.lab?.stations[this.player.view?.host ?? 0]?.name;
    const line = command && /^\w+[#$] /.test(command) ? command : `${host}# ${command}`;
    return html`<li>${this.say(fact)}
      ${command ? html`<div class="try"><code>${command}</code>${/[<…A-Z]{3,}|\.\.\./.test(command.replace(/-[A-Z]+\b|\b(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING|ACCEPT|DROP|INVALID|NEW|TCPMSS|MASQUERADE|REDIRECT|DNAT|SNAT)\b/g, "")) ? nothing : html`<button class="tool" @click=${() => this.dispatchEvent(new CustomEvent("try", { detail: line }))}>${this.w("try")}</button>`}</div>` : nothing}</li>`;
  }

  protected override firstUpdated(): void {
    this.setAttribute("tabindex", "-1");
  }
}

customElements.define("hw-why", Why);
