/// Conntrack: unconfirmed entries, dashed, that their packets still carry, and the table. Both tuples under each other.
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { styleMap } from "../css.js";
import type { BindingView, EntryView, TupleView } from "../model.js";
import { hue, Piece } from "../piece.js";

export class Conntrack extends Piece {
  protected override render(): TemplateResult {
    const { view, lab } = this.player;
    if (!view) return html``;
    const free = view.entries.filter((e) => !e.confirmed);
    const table = view.entries.filter((e) => e.confirmed);
    const name = lab?.stations[view.host]?.name ?? "";
    return html`
      <header class="head"><h2>${this.w("conntrack")}</h2><span class="where">${name}</span></header>
      ${view.tracking ? nothing : html`<p class="empty">${this.w("conntrack_asleep")}</p>`}
      ${view.tracking || view.entries.length > 0
        ? html`<h3>${this.w("unconfirmed")} <span class="n">${free.length}</span></h3>
          ${repeat(free, (e) => e.serial, (e) => this.card(e))}
          ${free.length === 0 ? html`<p class="empty">${this.w("no_unconfirmed")}</p>` : nothing}
          <h3>${this.w("table")} <span class="n">${table.length}</span></h3>
          ${repeat(table.slice(0, 60), (e) => e.serial, (e) => this.card(e))}
          ${table.length > 60 ? html`<p class="empty">${this.w("more", { n: table.length - 60 })}</p>` : nothing}
          ${table.length === 0 ? html`<p class="empty">${this.w("no_entries")}</p>` : nothing}`
        : nothing}`;
  }

  private card(e: EntryView): TemplateResult {
    const { view } = this.player;
    const mine = view?.flights.find((f) => f.packet === view.event?.packet)?.entry === e.serial;
    return html`<article class="entry ${e.confirmed ? "" : "dashed"} ${mine ? "mine" : ""}" title=${e.text}
      style=${styleMap({ "--hue": String(hue(e.carrier)) })}>
      <div class="top">
        <b>${e.proto}</b> <span class="state">${e.state}</span>
        <span class="time" title=${this.w("timeout")}>${e.timeout} s</span>
        ${e.confirmed ? nothing : html`<span class="id" title=${this.w("carried_by", { n: e.carrier })}>${e.carrier}</span>`}
      </div>
      <table>
        <tbody>
          ${e.tuples.map((t, i) => html`<tr>
            <th scope="row">${this.w(i === 0 ? "original" : "reply")}</th>
            <td>${tupleEnd(t, "src", "sport")}</td>
            <td aria-hidden="true">→</td>
            <td>${tupleEnd(t, "dst", "dport")}</td>
            ${t.packets === undefined || t.packets === null ? nothing : html`<td class="n">${t.packets}</td>`}
          </tr>`)}
        </tbody>
      </table>
      <div class="tags">
        ${e.flags.map((f) => html`<span class="tag">${f}</span>`)}
        ${e.mark ? html`<span class="tag">mark ${e.mark}</span>` : nothing}
      </div>
      ${e.bindings.length > 0
        ? html`<ul class="bindings">${e.bindings.map((b) => html`<li>${this.binding(b)}</li>`)}</ul>`
        : nothing}
    </article>`;
  }

  private binding(b: BindingView): string {
    const args = { n: b.packet, hook: b.hook, rule: b.rule ?? "", manip: this.w(b.manip === "dst" ? "the_destination" : "the_source") };
    return this.w(b.rule ? "bound_by_rule" : b.changed ? "null_binding_changed" : "null_binding", args);
  }
}

function tupleEnd(t: TupleView, addr: "src" | "dst", port: "sport" | "dport"): TemplateResult {
  const a = html`<span class=${t.changed.includes(addr) ? "new" : ""}>${t[addr]}</span>`;
  return t[port] === "" ? a : html`${a}:<span class=${t.changed.includes(port) ? "new" : ""}>${t[port]}</span>`;
}

customElements.define("hw-conntrack", Conntrack);
