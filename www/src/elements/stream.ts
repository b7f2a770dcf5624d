/// What `conntrack -E` prints on the host in focus, each line a way to its moment.
import { html, nothing, type TemplateResult } from "lit";
import { brief } from "../i18n.js";
import type { HeardView } from "../model.js";
import { hue } from "../piece.js";
import { Rows } from "../rows.js";

export class Stream extends Rows {
  protected override readonly row = 24;
  #lines: { key: string; lines: HeardView[] } | undefined;

  /** The lines of the host in focus. */
  private lines(): HeardView[] {
    const { heard, station, lab } = this.player;
    const key = `${station}/${heard.length}/${lab?.text}`;
    if (this.#lines?.key !== key) this.#lines = { key, lines: heard.filter((h) => h.station === station) };
    return this.#lines.lines;
  }
  protected override current(): number {
    return this.lines().findLastIndex((l) => l.at <= this.player.at);
  }

  protected override render(): TemplateResult {
    const { player } = this;
    // The run is listened to only once somebody looks.
    if (!player.lab || this.offsetParent === null) return html``;
    const name = player.lab.stations[player.station]?.name ?? "";
    const lines = this.lines();
    return html`
      <header class="head"><h2><code>${name}# conntrack -E</code></h2></header>
      ${lines.length === 0
        ? html`<p class="empty">${this.w("stream_empty")}</p>`
        : this.list(lines.length, this.w("stream_label", { host: name }), (i) => {
            const l = lines[i]!;
            return {
              hue: hue(l.packet),
              row: html`<button class="heard ${l.kind} ${l.at > player.at ? "ahead" : ""}" aria-current=${l.at === player.at ? "step" : "false"}
                @click=${() => {
                  player.pause();
                  player.seek(l.at);
                }}><span class="when">${l.time.toFixed(3)}</span><span class="line">${l.text}</span>${l.gone ? html`<em>${brief(this.language, l.gone)}</em>` : nothing}</button>`,
            };
          })}`;
  }
}

customElements.define("hw-stream", Stream);
