/// A terminal on every host: what was typed there so far and what it printed; what is typed now becomes part of the lab.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Problem } from "../model.js";
import { Piece } from "../piece.js";

/** What can be typed, for completion: commands with their commonest forms. */
const KNOWN = [
  "iptables -nvL", "iptables -S", "iptables -t nat -nvL", "iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080",
  "iptables -A INPUT -j DROP", "iptables -A FORWARD -j ACCEPT", "iptables -t nat -A POSTROUTING -j MASQUERADE", "iptables -P FORWARD DROP",
  "iptables-save", "iptables-save -c", "ip6tables -nvL", "ip6tables-save", "conntrack -L", "conntrack -F", "conntrack -D", "conntrack -C", "conntrack -S",
  "ip addr", "ip route", "ip rule", "ip link", "ipset list", "sysctl -w net.ipv4.ip_forward=1", "sysctl net.ipv4.ip_forward",
];

export class Terminal extends Piece {
  static override properties = { ...Piece.properties, problems: { attribute: false } };
  declare problems: Problem[];
  #back = 0;
  #seen = "";

  protected override render(): TemplateResult {
    const { player } = this;
    const { lab, view } = player;
    if (!lab || !view) return html``;
    const host = lab.stations[view.host];
    const past = lab.lines.filter((l) => l.station === view.host && l.at <= player.at && (l.kind === "command" || l.kind === "packet"));
    const shown = past.slice(-40);
    return html`
      <header class="head"><h2>${this.w("terminal")}</h2><span class="where">${host?.name}</span></header>
      <div class="screen" tabindex="0" role="log" aria-label=${this.w("terminal_log", { host: host?.name ?? "" })}>
        ${shown.map((l) => html`<p class="typed">${l.text[0]?.text}</p>${l.output === undefined || l.output === null ? nothing : html`<pre>${l.output}</pre>`}`)}
        ${this.problems.length > 0 ? html`<p class="bad" role="alert">${this.problems[0]!.message} ${this.problems[0]!.hint ?? ""}</p>` : nothing}
      </div>
      <form @submit=${this.enter}>
        <label><span>${host?.name}#</span>
          <input name="line" autocomplete="off" autocapitalize="off" spellcheck="false" aria-label=${this.w("terminal_line", { host: host?.name ?? "" })}
            placeholder=${this.w("terminal_hint")} @keydown=${this.keys} /></label>
      </form>`;
  }

  private enter = (e: Event): void => {
    e.preventDefault();
    const input = this.querySelector("input");
    const line = input?.value.trim() ?? "";
    const host = this.player.lab?.stations[this.player.view?.host ?? 0]?.name;
    if (!input || !host || line === "") return;
    this.#back = 0;
    // A prompt that was typed along says more: another host, a program, a packet.
    const whole = /^[A-Za-z]\w*[#$>]\s/.test(line) ? line : /^(ping|curl|nc|listen)\b/.test(line) ? `${host}$ ${line}` : `${host}# ${line}`;
    this.dispatchEvent(new CustomEvent("typed", { detail: whole }));
    if (this.problems.length === 0) input.value = "";
  };

  private keys = (e: KeyboardEvent): void => {
    const input = e.currentTarget as HTMLInputElement;
    const { lab, view } = this.player;
    if (e.key === "ArrowUp" || e.key === "ArrowDown") {
      const past = lab?.lines.filter((l) => l.station === view?.host && l.kind === "command" && l.at <= this.player.at) ?? [];
      this.#back = Math.min(past.length, Math.max(0, this.#back + (e.key === "ArrowUp" ? 1 : -1)));
      const line = this.#back === 0 ? "" : (past.at(-this.#back)?.text[0]?.text ?? "");
      input.value = line.replace(/^\w+# /, "");
      e.preventDefault();
    } else if (e.key === "Tab" && !e.shiftKey && input.value.trim() !== "") {
      const found = KNOWN.filter((k) => k.startsWith(input.value));
      if (found.length === 0) return;
      let common = found[0]!;
      for (const f of found) while (!f.startsWith(common)) common = common.slice(0, -1);
      if (common.length <= input.value.length) return;
      input.value = common;
      e.preventDefault();
    }
  };

  protected override updated(_: PropertyValues): void {
    const now = `${this.player.at}/${this.player.station}/${this.player.lab?.text.length}`;
    if (now === this.#seen) return;
    this.#seen = now;
    const screen = this.querySelector(".screen");
    if (screen) screen.scrollTop = screen.scrollHeight;
  }
}

customElements.define("hw-terminal", Terminal);
