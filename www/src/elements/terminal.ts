/// A terminal on every host: what was typed there so far and what it printed; what is typed now becomes part of the lab.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { recall, store } from "../keep.js";
import type { ChoiceView, Problem } from "../model.js";
import { Piece } from "../piece.js";

/** How many typed lines a lab's history keeps. */
const KEPT = 200;
const PROGRAMS = /^(ping|curl|nc|listen)\b/;

export class Terminal extends Piece {
  static override properties = {
    ...Piece.properties,
    problems: { attribute: false },
    lab: { attribute: false },
    type: { attribute: false },
    sign: { state: true },
    offered: { state: true },
    refused: { state: true },
  };
  declare problems: Problem[];
  /** The lab's name: each has a history of its own. */
  declare lab: string;
  /** Makes a line part of the lab; gives what is wrong with it where it cannot be. */
  declare type: (line: string) => Problem[];
  /** The prompt: `server#`, `client>`; none chosen: the host in view as root. */
  declare sign: string | undefined;
  declare offered: ChoiceView[];
  declare refused: { line: string; problems: Problem[] } | undefined;
  /** Where in the history, from its end; and what stood there before one went back. */
  #back = 0;
  #typed = "";
  #seen = "";
  #of = "";

  constructor() {
    super();
    this.offered = [];
    this.lab = "";
  }

  private get station(): number {
    const name = this.sign?.slice(0, -1);
    const chosen = this.player.lab?.stations.findIndex((s) => s.name === name) ?? -1;
    return chosen >= 0 ? chosen : (this.player.view?.host ?? 0);
  }
  private get prompt(): string {
    const name = this.player.lab?.stations[this.station]?.name ?? "";
    return this.sign?.startsWith(name) && name !== "" ? this.sign : `${name}#`;
  }

  protected override render(): TemplateResult {
    const { player } = this;
    const { lab, view } = player;
    if (!lab || !view) return html``;
    if (this.#of !== this.lab) {
      this.#of = this.lab;
      this.sign = undefined;
      this.refused = undefined;
    }
    const { station, prompt } = this;
    const host = lab.stations[station];
    const past = lab.lines.filter((l) => l.station === station && l.at <= player.at && (l.kind === "command" || l.kind === "packet"));
    const ahead = lab.lines.some((l) => l.station === station && l.at > player.at && l.kind === "command");
    const shown = past.slice(-60);
    const prompts = lab.stations.flatMap((s) => (s.kind === "host" ? [`${s.name}#`, `${s.name}$`, `${s.name}>`] : [`${s.name}>`, `${s.name}#`]));
    return html`
      <header class="head"><h2>${this.w("terminal")}</h2><span class="where">${host?.name}</span></header>
      <div class="screen" tabindex="0" role="log" aria-label=${this.w("terminal_log", { host: host?.name ?? "" })}>
        ${shown.map((l) => html`<p class="typed">${l.text[0]?.text}</p>${l.output === undefined || l.output === null ? nothing : html`<pre class=${/\[exit [1-9]\d*\]$/.test(l.output) ? "bad" : ""}>${l.output}</pre>`}`)}
        ${this.refused ? html`<p class="typed">${this.refused.line}</p><p class="bad" role="alert">${this.refused.problems[0]?.message} ${this.refused.problems[0]?.hint ?? ""}</p>` : nothing}
        ${ahead ? html`<p class="ahead">${this.w("terminal_ahead")}</p>` : nothing}
      </div>
      ${this.offered.length > 0
        ? html`<ul class="offered" aria-label=${this.w("completions")}>${this.offered.slice(0, 40).map((c) => html`<li><button type="button" @click=${() => this.take(c)}>${c.text}</button>${c.detail ? html` <i>${c.detail}</i>` : nothing}</li>`)}
            ${this.offered.length > 40 ? html`<li>${this.w("more", { n: this.offered.length - 40 })}</li>` : nothing}</ul>`
        : nothing}
      <form @submit=${this.enter}>
        <label><select class="sign" aria-label=${this.w("prompt")} @change=${(e: Event) => {
            this.sign = (e.target as HTMLSelectElement).value;
            this.offered = [];
            this.querySelector("input")?.focus();
          }}>${prompts.map((p) => html`<option value=${p} ?selected=${p === prompt}>${p}</option>`)}</select>
          <input name="line" autocomplete="off" autocapitalize="off" spellcheck="false" aria-label=${this.w("terminal_line", { host: host?.name ?? "" })}
            placeholder=${this.w(prompt.endsWith(">") ? "terminal_packet" : "terminal_hint")} @keydown=${this.keys} @input=${() => (this.offered = [])} /></label>
      </form>`;
  }

  /** The whole line of the lab. A prompt that was typed along says more: another station, a program, a packet. */
  private whole(line: string): string {
    if (/^[A-Za-z]\w*[#$>](\s|$)/.test(line) && this.player.lab?.stations.some((s) => line.startsWith(s.name))) return line;
    const { prompt } = this;
    return prompt.endsWith("#") && PROGRAMS.test(line) ? `${prompt.slice(0, -1)}$ ${line}` : `${prompt} ${line}`;
  }

  private enter = (e: Event): void => {
    e.preventDefault();
    const input = this.querySelector("input");
    const line = input?.value.trim() ?? "";
    if (!input || line === "") return;
    this.#back = 0;
    this.offered = [];
    this.remember(line);
    const whole = this.whole(line);
    const problems = this.type(whole);
    this.refused = problems.length > 0 ? { line: whole, problems } : undefined;
    this.#seen = "";
    if (problems.length === 0) input.value = "";
  };

  /** What was typed in this lab, oldest first: the lab's own lines of the station, then the reader's. */
  private get history(): string[] {
    const { prompt } = this;
    const own = (this.player.lab?.lines ?? []).filter((l) => l.at <= this.player.at && (l.kind === "command" || l.kind === "packet")).map((l) => l.text[0]?.text ?? "");
    const here = own.filter((l) => l.startsWith(prompt)).map((l) => l.slice(prompt.length).trim());
    const all = [...here, ...this.kept()];
    return all.filter((l, i) => l !== "" && l !== all[i + 1]);
  }
  private kept(): string[] {
    try {
      const kept: unknown = JSON.parse(recall(`typed.${this.lab}`) ?? "[]");
      return Array.isArray(kept) ? kept.filter((l) => typeof l === "string") : [];
    } catch {
      return [];
    }
  }
  private remember(line: string): void {
    store(`typed.${this.lab}`, JSON.stringify([...this.kept().filter((l) => l !== line), line].slice(-KEPT)));
  }

  private keys = (e: KeyboardEvent): void => {
    const input = e.currentTarget as HTMLInputElement;
    if (e.key === "ArrowUp" || e.key === "ArrowDown") {
      const past = this.history;
      if (this.#back === 0) this.#typed = input.value;
      this.#back = Math.min(past.length, Math.max(0, this.#back + (e.key === "ArrowUp" ? 1 : -1)));
      input.value = this.#back === 0 ? this.#typed : (past.at(-this.#back) ?? "");
      this.offered = [];
      e.preventDefault();
    } else if (e.key === "Tab" && !e.shiftKey && !e.ctrlKey && input.value.trim() !== "" && this.complete(input)) e.preventDefault();
    else if (e.key === "Escape" && this.offered.length > 0) {
      this.offered = [];
      e.stopPropagation();
    }
  };

  /** Goes on as far as there is one way to; then shows the ways. Nothing to offer: Tab goes to the next control. */
  private complete(input: HTMLInputElement): boolean {
    const head = input.value.slice(0, input.selectionStart ?? input.value.length);
    const { found, from } = this.found(head);
    if (found.length === 0) return false;
    let common = found[0]!.text;
    for (const c of found) while (!c.text.startsWith(common)) common = common.slice(0, -1);
    const begun = head.slice(from);
    const one = found.length === 1;
    const next = one && !/[=:/ ]$/.test(common) ? `${common} ` : common;
    if (next.length > begun.length) {
      input.setRangeText(next, from, head.length, "end");
      this.offered = [];
    } else this.offered = found;
    return true;
  }
  private found(head: string): { found: ChoiceView[]; from: number } {
    const whole = this.whole(head);
    const added = whole.length - head.length;
    const text = `${this.player.lab?.text ?? ""}\n${whole}`;
    const got = this.player.run?.complete?.(text, text.split("\n").length, [...whole].length + 1);
    const from = [...whole].slice(0, (got?.from ?? 1) - 1).join("").length - added;
    // What stands before the prompt is none of the terminal's.
    return from < 0 || !got ? { found: [], from: 0 } : { found: got.choices, from };
  }
  private take(choice: ChoiceView): void {
    const input = this.querySelector("input");
    if (!input) return;
    const head = input.value.slice(0, input.selectionStart ?? input.value.length);
    const { from } = this.found(head);
    input.setRangeText(`${choice.text}${/[=:/ ]$/.test(choice.text) ? "" : " "}`, from, head.length, "end");
    this.offered = [];
    input.focus();
  }

  protected override updated(_: PropertyValues): void {
    const now = `${this.player.at}/${this.station}/${this.player.lab?.text.length}/${this.refused?.line}`;
    if (now === this.#seen) return;
    this.#seen = now;
    const screen = this.querySelector(".screen");
    if (screen) screen.scrollTop = screen.scrollHeight;
  }
}

customElements.define("hw-terminal", Terminal);
