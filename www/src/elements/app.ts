/// The page: what is open, which language and theme, the keys, and the address that leads back to this very step.
import { html, nothing, type TemplateResult } from "lit";
import first from "virtual:first";
import library, { groups } from "virtual:library";
import { Desk, type Open } from "../desk.js";
import { LANGS, pick, preferred, word, type Lang, type Word } from "../i18n.js";
import { draft, OWN, recall, store } from "../keep.js";
import { Piece } from "../piece.js";
import type { Inserted } from "../insert.js";
import { Player } from "../player.js";
import { addressOf, LinkError, readAddress, unpack, writeAddress } from "../address.js";
import "./box.js";
import "./conntrack.js";
import "./controls.js";
import "./editor.js";
import "./events.js";
import "./lanes.js";
import "./library.js";
import "./packet.js";
import { Rules } from "./rules.js";
import "./sentence.js";
import "./story.js";
import { Stage } from "./stage.js";
import "./stream.js";
import "./terminal.js";
import "./why.js";
import "./zoom.js";

type Panel = "conntrack" | "rules" | "packet" | "events" | "lanes" | "stream" | "terminal" | "edit";
const PANELS: Panel[] = ["conntrack", "rules", "packet", "events", "lanes", "stream", "terminal", "edit"];

export class App extends Piece {
  static override properties = {
    ...Piece.properties,
    tick: { state: true },
    panel: { state: true },
    message: { state: true },
    ready: { state: true },
    asked: { state: true },
    story: { state: true },
  };
  declare panel: Panel;
  declare message: string;
  /** The simulator has arrived. */
  declare ready: boolean;
  /** What was asked: the words of the question, and how people would put it. */
  declare asked: string | undefined;
  /** The lab is told as a story. */
  declare story: boolean;
  /** The text and all that changes it. */
  readonly desk: Desk;
  #saved: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.player = new Player();
    this.desk = new Desk(this.player, () => this.deskTold());
    this.tick = 0;
    this.panel = matchMedia("(min-width: 1200px)").matches ? "rules" : "conntrack";
    this.message = "";
    this.ready = false;
    this.story = false;
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
      this.player.open({ lab: picture.lab, view: () => view, events: (from, to) => events.slice(from, to), tables: () => tables, why: () => ({ reasons: [], remedies: [] }), index: () => ({ words: new Uint32Array(), names: { kinds: [], hooks: [], funcs: [], tables: [] } }), heard: () => [] });
    }
    this.player.addEventListener("change", this.changed);
    addEventListener("keydown", this.key);
    addEventListener("hashchange", this.moved);
    addEventListener("dragover", this.dragged);
    addEventListener("drop", this.dropped);
    this.addEventListener("look", this.look as EventListener);
    this.addEventListener("why", this.why as EventListener);
  }
  override disconnectedCallback(): void {
    this.player.removeEventListener("change", this.changed);
    removeEventListener("keydown", this.key);
    removeEventListener("hashchange", this.moved);
    removeEventListener("dragover", this.dragged);
    removeEventListener("drop", this.dropped);
    super.disconnectedCallback();
  }
  private changed = (): void => {
    this.tick++;
    clearTimeout(this.#saved);
    if (this.ready) {
      this.#saved = setTimeout(() => {
        writeAddress(this.desk.name, this.player);
        this.desk.visited();
      }, this.player.playing ? 600 : 120);
    }
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
    this.desk.open = open;
    await this.follow();
    this.ready = true;
  }
  /** Why there is no simulator. */
  fail(why: string): void {
    this.message = this.w("cannot_load", { why });
  }

  /** Opens what the address names; without a name the first lab of the library. */
  private async follow(): Promise<void> {
    const { desk, player } = this;
    const address = readAddress();
    const known = library.some((l) => l.name === address.lab);
    if (address.unknown !== undefined) {
      this.message = this.w("link_version", { version: address.unknown });
      if (player.run && desk.name) return;
    }
    if (address.text) {
      const text = await unpack(address.text).catch((e: unknown) => {
        this.message = this.w(e instanceof LinkError && e.why === "large" ? "link_large" : "link_broken");
      });
      if (text !== undefined) {
        if (!desk.own(text, address.at, address.host)) this.panel = "edit";
        return;
      }
      // What was open stays; who comes with such a link sees the first lab.
      if (player.run && desk.name) return;
    }
    if (address.lab === OWN) {
      const text = draft(OWN);
      if (desk.name === OWN && address.at !== undefined) return player.seek(address.at);
      if (text !== null) return void desk.own(text, address.at, address.host);
    }
    if (address.lab && !known && !address.text) this.message = this.w("unknown_lab", { name: address.lab });
    const name = known ? address.lab! : (first?.name ?? library[0]?.name);
    if (name === desk.name && address.at === player.at) return;
    if (name === desk.name && player.run && address.at !== undefined) return player.seek(address.at);
    if (name) await desk.load(name, address.at, address.host);
  }

  /** Another text is on the desk, or it runs otherwise. */
  private deskTold(): void {
    this.asked = undefined;
    const lab = this.player.lab;
    if (lab) document.title = `${pick(this.language, lab.title)} · Hookwalk`;
    this.changed();
  }
  /** A file of the reader's own, chosen or dropped. */
  private async file(file: File): Promise<void> {
    const told = await this.desk.file(file);
    if (told === "not_text") this.say(this.w("not_a_lab", { name: file.name }));
    else if (told === "mistakes") this.panel = "edit";
  }
  private say(message: string): void {
    this.message = message;
    setTimeout(() => (this.message = this.message === message ? "" : this.message), 5000);
  }
  private dragged = (e: DragEvent): void => {
    if (e.dataTransfer?.types.includes("Files") && !this.querySelector("dialog[open]")) e.preventDefault();
  };
  private dropped = (e: DragEvent): void => {
    const file = e.dataTransfer?.files[0];
    if (!file || this.querySelector("dialog[open]")) return;
    e.preventDefault();
    void this.file(file);
  };

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
    const typing = target.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && (target as HTMLInputElement).type !== "range");
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
      case "u":
        p.out(1);
        break;
      case "U":
        p.out(-1);
        break;
      case "r":
        p.rule(1);
        break;
      case "R":
        p.rule(-1);
        break;
      case "v":
        p.runTo("verdict");
        break;
      case "V":
        p.runTo("verdict", -1);
        break;
      case "t":
        p.runTo("nat");
        break;
      case "T":
        p.runTo("nat", -1);
        break;
      case "d":
        p.runTo("drop");
        break;
      case "D":
        p.runTo("drop", -1);
        break;
      case "b":
        p.runToBreak(1);
        break;
      case "B":
        p.runToBreak(-1);
        break;
      case "z":
        this.querySelector<Stage>("hw-stage")?.toggleZoom();
        break;
      case "f":
        this.show("events", 'hw-events input[type="search"]');
        break;
      case "c":
        this.show("terminal", "hw-terminal input");
        break;
      case "w": {
        const packet = p.packet?.id;
        if (packet === undefined) return;
        this.asked = `packet ${packet}`;
        break;
      }
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
        if (this.asked !== undefined) this.asked = undefined;
        else if (this.querySelector<Stage>("hw-stage")?.zoom) this.querySelector<Stage>("hw-stage")!.zoom = undefined;
        else return;
        break;
      case "?":
        this.querySelector<HTMLDialogElement>("dialog.keys")?.showModal();
        break;
      default:
        return;
    }
    e.preventDefault();
  };

  /** Brings a panel into sight and the keyboard into it. */
  private show(panel: Panel, inside: string): void {
    this.panel = panel;
    this.tick++;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(inside)?.focus());
  }

  private async share(): Promise<void> {
    history.replaceState(null, "", await addressOf(this.desk.name, this.player, this.desk.foreign));
    try {
      await navigator.clipboard.writeText(location.href);
      this.message = this.w("copied");
    } catch {
      this.message = location.href;
    }
    setTimeout(() => (this.message = ""), 2500);
  }

  protected override render(): TemplateResult {
    const { player, tick, desk } = this;
    const lang = this.language;
    const other = LANGS.find((l) => l.id !== lang) ?? LANGS[0]!;
    const theme = chosenTheme();
    const title = (t: Record<string, string>): string => t[lang] ?? t[lang === "zh" ? "zh-CN" : "en"] ?? t[""] ?? "";
    const option = (l: (typeof library)[number]): TemplateResult =>
      html`<option value=${l.name} ?selected=${l.name === desk.name}>${title(l.title) || l.name}</option>`;
    const hidden = (p: Panel): string => (this.panel === p ? "chosen" : "");
    return html`
      <header class="bar">
        <h1><svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true"><path d="M3 16h8m10 0h8" /><rect x="11" y="8" width="10" height="16" rx="2" /><circle cx="16" cy="16" r="2.4" /></svg><span>Hookwalk</span></h1>
        <label class="labs"><span class="sr">${this.w("lab")}</span>
          <select id="lab" .value=${desk.name} ?disabled=${!this.ready} @change=${(e: Event) => {
            const name = (e.target as HTMLSelectElement).value;
            if (name !== OWN) void desk.load(name);
          }}>
            ${desk.name === OWN ? html`<option value=${OWN} selected>${(player.lab && pick(lang, player.lab.title)) || this.w("own_lab")}</option>` : nothing}
            ${groups.map((g) => html`<optgroup label=${title(g.title)}>${library.filter((l) => l.group === g.id).map(option)}</optgroup>`)}
            ${library.filter((l) => !groups.some((g) => g.id === l.group)).map(option)}
          </select>
        </label>
        <hw-library .player=${player} .tick=${tick}></hw-library>
        <hw-box .player=${player} .tick=${tick} @lab=${(e: CustomEvent<string>) => {
          if (!desk.own(e.detail)) this.panel = "edit";
        }}></hw-box>
        <span class="grow"></span>
        <button class="tool language" lang=${other.html} aria-label=${other.name} @click=${() => this.setLanguage(other.id)}><span>${other.name}</span><i aria-hidden="true">${other.short}</i></button>
        <button class="tool icon" title=${this.w("theme")} aria-label=${this.w("theme")} @click=${() => this.setTheme(THEMES[theme] ?? "dark")}>${theme === "contrast" ? "☀" : theme === "dark" ? "◐" : "☾"}</button>
        <button class="tool icon" title=${this.w("help")} aria-label=${this.w("help")} @click=${() => this.querySelector<HTMLDialogElement>("dialog.keys")?.showModal()}>?</button>
        <button class="tool share" title=${this.w("share_label")} aria-label=${this.w("share_label")} @click=${() => void this.share()}>
          <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path d="M10 13.5a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 5.8M14 10.5a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1" /></svg><span>${this.w("share")}</span></button>
      </header>
      <p class="message" role="status">${this.message || (this.ready || !player.run ? "" : this.w("loading"))}</p>
      <main class="body" data-panel=${this.panel} ?data-story=${this.story}>
        <section class="center">
          <hw-resume .player=${player} .tick=${tick} .lab=${desk.name}></hw-resume>
          <hw-tour .player=${player} .tick=${tick} .lab=${desk.name}></hw-tour>
          <hw-stage .player=${player} .tick=${tick}></hw-stage>
          <hw-sentence .player=${player} .tick=${tick} @predicted=${(e: CustomEvent<{ line: number; right: boolean }>) => desk.predicted(e.detail.line, e.detail.right)}></hw-sentence>
          <hw-story .player=${player} .tick=${tick} .on=${this.story} @tell=${(e: CustomEvent<boolean>) => (this.story = e.detail)}></hw-story>
        </section>
        <nav class="switch" aria-label=${this.w("panels")}>
          ${PANELS.map((p) => html`<button class="tab ${p}" aria-pressed=${this.panel === p} @click=${() => {
            this.panel = p;
            this.tick++;
          }}>${this.w(p as Word)}</button>`)}
        </nav>
        <section class="panel events ${hidden("events")}" aria-label=${this.w("events")}><hw-events .player=${player} .tick=${tick}></hw-events></section>
        <section class="panel packet ${hidden("packet")}" aria-label=${this.w("packet")}><hw-packet .player=${player} .tick=${tick}></hw-packet></section>
        <section class="panel conntrack ${hidden("conntrack")}" aria-label=${this.w("conntrack")}><hw-conntrack .player=${player} .tick=${tick}></hw-conntrack></section>
        <section class="panel rules ${hidden("rules")}" aria-label=${this.w("rules")}><hw-rules .player=${player} .tick=${tick}></hw-rules></section>
        <section class="panel lanes ${hidden("lanes")}" aria-label=${this.w("lanes")}><hw-lanes .player=${player} .tick=${tick}></hw-lanes></section>
        <section class="panel stream ${hidden("stream")}" aria-label=${this.w("stream")}><hw-stream .player=${player} .tick=${tick}></hw-stream></section>
        <section class="panel terminal ${hidden("terminal")}" aria-label=${this.w("terminal")}>
          <hw-terminal .player=${player} .tick=${tick} .lab=${desk.name} .problems=${desk.problems} .type=${(line: string) => desk.typed(line)}></hw-terminal>
        </section>
        <section class="panel edit ${hidden("edit")}" aria-label=${this.w("edit")}>
          <hw-editor .player=${player} .tick=${tick} .text=${desk.text} .problems=${desk.problems} .changes=${desk.changes} .written=${desk.written}
            .undoable=${desk.undoable} .redoable=${desk.redoable} .original=${desk.edited} .shown=${this.panel === "edit"}
            @draft=${(e: CustomEvent<string>) => desk.draft(e.detail)} @run=${(e: CustomEvent<string>) => desk.change(e.detail, true)}
            @undo=${() => desk.undo()} @redo=${() => desk.redo()} @reset=${() => desk.reset()} @save=${() => desk.save()}
            @file=${(e: CustomEvent<File>) => void this.file(e.detail)} @write=${(e: CustomEvent<Inserted>) => desk.write(e.detail)}></hw-editor>
        </section>
      </main>
      <footer class="controls"><hw-controls .player=${player} .tick=${tick}></hw-controls></footer>
      ${this.asked === undefined
        ? nothing
        : html`<hw-why .player=${player} .tick=${tick} .asked=${this.asked} @close=${() => (this.asked = undefined)}
            @try=${(e: CustomEvent<string>) => {
              // Before the first packet, where it makes a difference to all of them.
              player.seek(player.start);
              desk.typed(e.detail);
            }}></hw-why>`}
      ${this.keys(lang)}`;
  }

  private keys(lang: Lang): TemplateResult {
    const rows: [string, Word][] = [
      ["Space", "key_space"], ["→ ←", "key_arrows"], ["O", "key_o"], ["U", "key_u"], ["R", "key_r"], ["Shift → ←", "key_shift"],
      ["N", "key_n"], ["V", "key_v"], ["T", "key_t"], ["D", "key_d"], ["B", "key_b"], ["Home End", "key_ends"], ["− +", "key_speed"],
      ["Z", "key_z"], ["W", "key_w"], ["F", "key_f"], ["C", "key_c"], ["Esc", "key_esc"],
    ];
    return html`<dialog class="keys" aria-label=${this.w("help")}>
      <h2>${this.w("help")}</h2>
      <p>${this.w("keys_back")}</p>
      <dl>${rows.map(([k, w]) => html`<dt><kbd>${k}</kbd></dt><dd>${word(lang, w)}</dd>`)}</dl>
      <p>${this.w("private")}</p>
      <form method="dialog"><button class="tool">${this.w("close")}</button></form>
    </dialog>${nothing}`;
  }
}

/** Which theme comes after which. */
const THEMES: Record<string, string> = { light: "dark", dark: "contrast", contrast: "light" };
const chosenTheme = (): string => (document.documentElement.dataset["contrast"] ? "contrast" : document.documentElement.dataset["theme"]) ?? "light";

customElements.define("hw-app", App);
