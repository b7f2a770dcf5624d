/// The packet in view: its header as it is here, with what NAT replaced.
import { html, nothing, type TemplateResult } from "lit";
import { styleMap } from "../css.js";
import type { EndpointView } from "../model.js";
import { hue, Piece } from "../piece.js";

export class PacketPanel extends Piece {
  protected override render(): TemplateResult {
    const { view, lab } = this.player;
    const flight = view?.flights.find((f) => f.packet === view.event?.packet);
    const span = lab?.packets.find((p) => p.id === flight?.packet);
    if (!flight) return html`<header class="head"><h2>${this.w("packet")}</h2></header><p class="empty">${this.w("no_packet")}</p>`;
    const row = (label: string, e: EndpointView): TemplateResult => html`<div class="field">
      <dt>${label}</dt>
      <dd>
        ${e.old_addr || e.old_port ? html`<del>${join(e.old_addr ?? e.addr, e.old_port ?? e.port)}</del> ` : nothing}
        <span class=${e.old_addr || e.old_port ? "new" : ""}>${join(e.addr, e.port)}</span>
      </dd>
    </div>`;
    return html`
      <header class="head" style=${styleMap({ "--hue": String(hue(flight.packet)) })}>
        <h2>${this.w("packet")} <span class="id">${flight.packet}</span></h2>
        <span class="what">${flight.proto} ${flight.short}</span>
        ${span && span.answers > 0
          ? html`<button class="link" @click=${() => this.player.seek((lab?.packets.find((p) => p.id === span.answers)?.first ?? 0) + 1)}>
              ${this.w("answers", { n: span.answers })}</button>`
          : nothing}
        <button class="ask" @click=${() => this.dispatchEvent(new CustomEvent("why", { bubbles: true, detail: `packet ${flight.packet}` }))}>${this.w("why_packet")}</button>
      </header>
      <dl class="fields">
        ${row(this.w("source"), flight.src)} ${row(this.w("destination"), flight.dst)}
        ${flight.place.at === "link" || lab?.stations[flight.station]?.kind === "wire"
          ? nothing
          : html`<div class="field"><dt>ctstate</dt><dd>${flight.state ?? this.w("not_yet_known")}</dd></div>`}
        ${flight.fields.map(([k, v]) => html`<div class="field small"><dt>${k}</dt><dd>${v}</dd></div>`)}
      </dl>`;
  }
}

const join = (addr: string, port: string): string => (port === "" ? addr : addr.includes(":") ? `[${addr}]:${port}` : `${addr}:${port}`);

customElements.define("hw-packet", PacketPanel);
