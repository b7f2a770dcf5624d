/// The page: what is open, which language and theme, the keys, and the address that leads back to this very step.
import { html, nothing, type TemplateResult } from "lit";
import first from "virtual:first";
import library, { groups } from "virtual:library";
import { LANGS, pick, preferred, word, type Lang, type Word } from "../i18n.js";
import type { Opened, Problem } from "../model.js";
import { Piece } from "../piece.js";
import { Player } from "../player.js";
import { readAddress, shareText, unpack, writeAddress } from "../address.js";
import { counters, differences, type Change } from "../compare.js";
import { labText } from "../library.js";
import "./box.js";
import "./conntrack.js";
import "./controls.js";
import "./editor.js";
import "./events.js";
import "./library.js";
import "./packet.js";
import { Rules } from "./rules.js";
import "./sentence.js";
import "./stage.js";
import "./terminal.js";
import "./why.js";

type Panel = "conntrack" | "rules" | "packet" | "events" | "terminal" | "edit";
const PANELS: Panel[] = ["conntrack", "rules", "packet", "events", "terminal", "edit"];

/** Turns a lab's text into a run. */
export type Open = (text: string) => Opened;

export class App extends Piece {
  static override properties = {
    ...Piece.properties,
    tick: { state: true },
    panel: { state: true },
    message: { state: true },
    problems: { state: true },
    ready: { state: true },
    changes: { state: true },
    asked: { state: true },
  };
  declare panel: Panel;
  declare message: string;
  declare problems: Problem[];
  /** The simulator has arrived. */
  declare ready: boolean;
  /** What the last change of the text made different at the end of the run. */
  declare changes: Change[];
  /** What was asked: the words of the question, and how people would put it. */
  declare asked: string | undefined;
  name = "";
  #past: string[] = [];
  #future: string[] = [];
  #open: Open | undefined;
  #saved: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.player = new Player();
    this.tick = 0;
    this.panel = matchMedia("(min-width: 1200px)").matches ? "rules" : "conntrack";
    this.message = "";
    this.problems = [];
    this.ready = false;
    this.changes = [];
    const stored = recall("lang") as Lang | null;
    this.setLanguage(readAddress().lang ?? stored ?? preferred(), false);
    this.setTheme(recall("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"), false);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { lab, at } = readAddress();
    // The picture made while building stands in until the simulator is here.
    const picture = first;
    if (picture && (!lab || lab === picture.name) && !at) {
      const { view, events, tables } = picture;
      this.player.open({ lab: picture.lab, view: () => view, events: (from, to) => events.slice(from, to), tables: () => tables, why: () => ({ reasons: [], remedies: [] }) });
    }
    this.player.addEventListener("change", this.changed);
    addEventListener("keydown", this.key);
    addEventListener("hashchange", this.moved);
    this.addEventListener("look", this.look as EventListener);
    this.addEventListener("why", this.why as EventListener);
  }
  override disconnectedCallback(): void {
    this.player.removeEventListener("change", this.changed);
    removeEventListener("keydown", this.key);
    removeEventListener("hashchange", this.moved);
    super.disconnectedCallback();
  }
  private changed = (): void => {
    this.tick++;
    clearTimeout(this.#saved);
    if (this.ready) this.#saved = setTimeout(() => writeAddress(this.name, this.player), this.player.playing ? 600 : 120);
  };
  private moved = (): void => void this.follow();
  private why = (e: CustomEvent<string>): void => {
    this.player.pause();
    this.asked = e.detail;
  };
  private look = (e: CustomEvent<{ hook: string; func: string }>): void => {
    const wide = matchMedia("(min-width: 1200px)").matches;
    this.panel = !wide && (e.detail.func === "conntrack" || e.detail.func === "confirm") ? "conntrack" : "rules";
    this.querySelector<Rules>("hw-rules")?.show(e.detail.func);
    this.tick++;
  };

  /** The simulator is here: open what the address names. */
  async start(open: Open): Promise<void> {
    this.#open = open;
    await this.follow();
    this.ready = true;
  }
  /** Why there is no simulator. */
  fail(why: string): void {
    this.message = this.w("cannot_load", { why });
  }

  /** Opens what the address names; without a name the first lab of the library. */
  private async follow(): Promise<void> {
    const address = readAddress();
    const known = library.some((l) => l.name === address.lab);
    if (address.lab && !known && !address.text) this.message = this.w("unknown_lab", { name: address.lab });
    if (address.text) {
      const text = await unpack(address.text).catch(() => undefined);
      if (text !== undefined && this.run(text, address.at, address.host)) {
        this.name = "";
        return;
      }
    }
    const name = known ? address.lab! : (first?.name ?? library[0]?.name);
    if (name === this.name && address.at === this.player.at) return;
    if (name === this.name && this.player.run && address.at !== undefined) return this.player.seek(address.at);
    if (name) await this.load(name, address.at, address.host);
  }

  private async load(name: string, at?: number, host?: string): Promise<void> {
    const text = await labText(name);
    if (this.run(text, at, host)) this.name = name;
    this.#past = [];
    this.#future = [];
    this.changes = [];
    this.changed();
  }

  /** Runs a text; where it has mistakes, says them and keeps what there is. */
  run(text: string, at?: number, host?: string): boolean {
    const opened = this.#open?.(text);
    if (!opened) return false;
    if (!opened.ok) {
      this.problems = opened.problems;
      return false;
    }
    this.problems = [];
    this.asked = undefined;
    const station = host ? opened.run.lab.stations.findIndex((s) => s.name === host) : -1;
    this.player.open(opened.run, at, station);
    document.title = `${pick(this.language, opened.run.lab.title)} · Hookwalk`;
    return true;
  }

  /** Runs another text, and says what became different; can be taken back. */
  private change(text: string, at?: number): boolean {
    const before = this.player.run;
    const old = before?.lab.text ?? "";
    if (!before || text === old) return true;
    const counted = counters(before);
    const { at: where, station, pinned } = this.player;
    const host = pinned ? before.lab.stations[station]?.name : undefined;
    if (!this.run(text, at ?? where, host)) return false;
    this.#past.push(old);
    this.#future = [];
    this.changes = differences(counted, counters(this.player.run!));
    return true;
  }
  private undo(): void {
    const text = this.#past.pop();
    const now = this.player.lab?.text;
    if (text === undefined || now === undefined) return;
    this.#future.push(now);
    this.run(text, this.player.at);
    this.changes = [];
  }
  private redo(): void {
    const text = this.#future.pop();
    const now = this.player.lab?.text;
    if (text === undefined || now === undefined) return;
    this.#past.push(now);
    this.run(text, this.player.at);
    this.changes = [];
  }
  /** A line typed at a prompt becomes part of the lab, after the line that ran last. */
  private typed(line: string): void {
    const { lab, view } = this.player;
    if (!lab) return;
    const lines = lab.text.split("\n");
    const next = lab.lines.find((l) => l.line > (view?.line ?? 0))?.line ?? lines.length + 1;
    let place = next - 1;
    // Blank lines and comments belong to what follows them.
    while (place > 0 && /^\s*(#.*)?$/.test(lines[place - 1] ?? "")) place--;
    if (place < (view?.line ?? 0)) place = view?.line ?? place;
    lines.splice(place, 0, line);
    if (!this.change(lines.join("\n"), this.player.at)) return;
    const now = this.player.lab?.lines.find((l) => l.line === place + 1);
    if (now) this.player.seek(now.at);
  }

  private setLanguage(lang: Lang, keep = true): void {
    document.documentElement.lang = LANGS.find((l) => l.id === lang)?.html ?? "en";
    if (keep) store("lang", lang);
    this.tick++;
    const title = this.player.lab?.title;
    if (title) document.title = `${pick(this.language, title)} · Hookwalk`;
  }
  private setTheme(theme: string, keep = true): void {
    const root = document.documentElement;
    root.dataset["theme"] = theme === "dark" ? "dark" : "light";
    // Who asks the system for more contrast gets it in either theme, by the style sheet alone.
    if (theme === "contrast") root.dataset["contrast"] = "more";
    else delete root.dataset["contrast"];
    if (keep) store("theme", theme);
    this.tick++;
  }

  private key = (e: KeyboardEvent): void => {
    const target = e.composedPath()[0] as HTMLElement;
    if (e.ctrlKey || e.metaKey || e.altKey || this.querySelector("dialog[open]")) return;
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && (target as HTMLInputElement).type !== "range";
    if (typing) return;
    const p = this.player;
    const onButton = target.tagName === "BUTTON";
    switch (e.key) {
      case " ":
        if (onButton) return;
        if (this.ready) p.toggle();
        break;
      case "ArrowRight":
        if (e.shiftKey) p.stepPacket(1);
        else p.step(1);
        break;
      case "ArrowLeft":
        if (e.shiftKey) p.stepPacket(-1);
        else p.step(-1);
        break;
      case "o":
        p.over(1);
        break;
      case "O":
        p.over(-1);
        break;
      case "n":
        p.turn(1);
        break;
      case "N":
        p.turn(-1);
        break;
      case "Home":
        p.pause();
        p.seek(0);
        break;
      case "End":
        p.pause();
        p.seek(p.len);
        break;
      case "+":
      case "=":
        p.setSpeed(Math.min(8, p.speed * 2));
        break;
      case "-":
        p.setSpeed(Math.max(0.25, p.speed / 2));
        break;
      case "Escape":
        if (this.asked === undefined) return;
        this.asked = undefined;
        break;
      case "?":
        this.querySelector<HTMLDialogElement>("dialog.keys")?.showModal();
        break;
      default:
        return;
    }
    e.preventDefault();
  };

  private async share(): Promise<void> {
    writeAddress(this.name, this.player);
    if (this.#past.length > 0 || !this.name) await shareText(this.player);
    try {
      await navigator.clipboard.writeText(location.href);
      this.message = this.w("copied");
    } catch {
      this.message = location.href;
    }
    setTimeout(() => (this.message = ""), 2500);
  }

  protected override render(): TemplateResult {
    const { player, tick } = this;
    const lang = this.language;
    const other = LANGS.find((l) => l.id !== lang) ?? LANGS[0]!;
    const theme = chosenTheme();
    const title = (t: Record<string, string>): string => t[lang] ?? t[lang === "zh" ? "zh-CN" : "en"] ?? t[""] ?? "";
    const option = (l: (typeof library)[number]): TemplateResult =>
      html`<option value=${l.name} ?selected=${l.name === this.name}>${title(l.title) || l.name}</option>`;
    const hidden = (p: Panel): string => (this.panel === p ? "chosen" : "");
    return html`
      <header class="bar">
        <h1><svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true"><path d="M3 16h8m10 0h8" /><rect x="11" y="8" width="10" height="16" rx="2" /><circle cx="16" cy="16" r="2.4" /></svg><span>Hookwalk</span></h1>
        <label class="labs"><span class="sr">${this.w("lab")}</span>
          <select id="lab" .value=${this.name} ?disabled=${!this.ready} @change=${(e: Event) => void this.load((e.target as HTMLSelectElement).value)}>
            ${groups.map((g) => html`<optgroup label=${title(g.title)}>${library.filter((l) => l.group === g.id).map(option)}</optgroup>`)}
            ${library.filter((l) => !groups.some((g) => g.id === l.group)).map(option)}
          </select>
        </label>
        <hw-library .player=${player} .tick=${tick}></hw-library>
        <hw-box .player=${player} .tick=${tick} @lab=${(e: CustomEvent<string>) => {
          if (this.run(e.detail)) this.name = "";
          else this.panel = "edit";
        }}></hw-box>
        <span class="grow"></span>
        <button class="tool language" lang=${other.html} aria-label=${other.name} @click=${() => this.setLanguage(other.id)}><span>${other.name}</span><i aria-hidden="true">${other.short}</i></button>
        <button class="tool icon" title=${this.w("theme")} aria-label=${this.w("theme")} @click=${() => this.setTheme(THEMES[theme] ?? "dark")}>${theme === "contrast" ? "☀" : theme === "dark" ? "◐" : "☾"}</button>
        <button class="tool icon" title=${this.w("help")} aria-label=${this.w("help")} @click=${() => this.querySelector<HTMLDialogElement>("dialog.keys")?.showModal()}>?</button>
        <button class="tool share" title=${this.w("share_label")} aria-label=${this.w("share_label")} @click=${() => void this.share()}>
          <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path d="M10 13.5a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 5.8M14 10.5a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1" /></svg><span>${this.w("share")}</span></button>
      </header>
      <p class="message" role="status">${this.message || (this.ready || !player.run ? "" : this.w("loading"))}</p>
      <main class="body" data-panel=${this.panel}>
        <section class="center">
          <hw-tour .player=${player} .tick=${tick} .lab=${this.name}></hw-tour>
          <hw-stage .player=${player} .tick=${tick}></hw-stage>
          <hw-sentence .player=${player} .tick=${tick}></hw-sentence>
        </section>
        <nav class="switch" aria-label=${this.w("panels")}>
          ${PANELS.map((p) => html`<button class="tab ${p}" aria-pressed=${this.panel === p} @click=${() => (this.panel = p)}>${this.w(p as Word)}</button>`)}
        </nav>
        <section class="panel events ${hidden("events")}" aria-label=${this.w("events")}><hw-events .player=${player} .tick=${tick}></hw-events></section>
        <section class="panel packet ${hidden("packet")}" aria-label=${this.w("packet")}><hw-packet .player=${player} .tick=${tick}></hw-packet></section>
        <section class="panel conntrack ${hidden("conntrack")}" aria-label=${this.w("conntrack")}><hw-conntrack .player=${player} .tick=${tick}></hw-conntrack></section>
        <section class="panel rules ${hidden("rules")}" aria-label=${this.w("rules")}><hw-rules .player=${player} .tick=${tick}></hw-rules></section>
        <section class="panel terminal ${hidden("terminal")}" aria-label=${this.w("terminal")}>
          <hw-terminal .player=${player} .tick=${tick} .problems=${this.problems} @typed=${(e: CustomEvent<string>) => this.typed(e.detail)}></hw-terminal>
        </section>
        <section class="panel edit ${hidden("edit")}" aria-label=${this.w("edit")}>
          <hw-editor .player=${player} .tick=${tick} .problems=${this.problems} .changes=${this.changes}
            .undoable=${this.#past.length > 0} .redoable=${this.#future.length > 0}
            @run=${(e: CustomEvent<string>) => this.change(e.detail)} @undo=${() => this.undo()} @redo=${() => this.redo()}></hw-editor>
        </section>
      </main>
      <footer class="controls"><hw-controls .player=${player} .tick=${tick}></hw-controls></footer>
      ${this.asked === undefined
        ? nothing
        : html`<hw-why .player=${player} .tick=${tick} .asked=${this.asked} @close=${() => (this.asked = undefined)}
            @try=${(e: CustomEvent<string>) => {
              // Before the first packet, where it makes a difference to all of them.
              player.seek(player.start);
              this.typed(e.detail);
            }}></hw-why>`}
      ${this.keys(lang)}`;
  }

  private keys(lang: Lang): TemplateResult {
    const rows: [string, Word][] = [["Space", "key_space"], ["→ ←", "key_arrows"], ["Shift → ←", "key_shift"], ["O", "key_o"], ["N", "key_n"], ["Home End", "key_ends"], ["− +", "key_speed"]];
    return html`<dialog class="keys" aria-label=${this.w("help")}>
      <h2>${this.w("help")}</h2>
      <dl>${rows.map(([k, w]) => html`<dt><kbd>${k}</kbd></dt><dd>${word(lang, w)}</dd>`)}</dl>
      <p>${this.w("private")}</p>
      <form method="dialog"><button class="tool">${this.w("close")}</button></form>
    </dialog>${nothing}`;
  }
}

/** Which theme comes after which. */
const THEMES: Record<string, string> = { light: "dark", dark: "contrast", contrast: "light" };
const chosenTheme = (): string => (document.documentElement.dataset["contrast"] ? "contrast" : document.documentElement.dataset["theme"]) ?? "light";

/** What this browser keeps between visits; without storage the page works all the same. */
function recall(key: string): string | null {
  try {
    return localStorage.getItem(`hookwalk.${key}`);
  } catch {
    return null;
  }
}
function store(key: string, value: string): void {
  try {
    localStorage.setItem(`hookwalk.${key}`, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

customElements.define("hw-app", App);
