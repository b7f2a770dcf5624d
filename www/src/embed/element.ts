/// `<hookwalk-lab>`: a lab that plays inside somebody else's page. It keeps to itself: its own tree, its own styles, no
/// request but for its own files, no key that it was not given.
import { html, render } from "lit";
import type { Opened } from "../model.js";
import { preferred, word, type Lang } from "../i18n.js";
import { Player } from "../player.js";
import "../elements/controls.js";
import "../elements/sentence.js";
import "../elements/stage.js";
import { sheets } from "./sheets.js";

/** The version of the interface: attributes, methods and events keep their meaning while the first number stays. */
export const VERSION = "1.0";

/** What scripts may set when they make an element; each is an attribute, too. */
export interface Options {
  /** The host whose hooks are shown first. */
  focus?: string;
  /** Where to begin: `step:12`, `packet:3`, `say:2`, `end`. */
  start?: string;
  /** `en` or `zh`; else the page's language, else the reader's. */
  lang?: string;
  /** `light`, `dark`, or `auto`: as the reader's system is. */
  theme?: "light" | "dark" | "auto";
  /** A CSS length, or `auto`. */
  height?: string;
  /** `full`: a slider and figures; `minimal`: four buttons. */
  controls?: "full" | "minimal";
  /** `visible`: plays when it is seen. */
  autoplay?: "visible";
}

/** What `ready` tells. */
export interface ReadyDetail {
  steps: number;
  title: string;
}
/** What `step` and `seek` tell. */
export interface StepDetail {
  step: number;
  steps: number;
  /** The engine's name of the event that led here. */
  kind: string;
  /** The packet; 0 if none. */
  packet: number;
}
/** What `verdict` tells: a packet has ended. */
export interface VerdictDetail extends StepDetail {
  fate: "delivered" | "sent" | "dropped";
}
/** What `error` tells; what was shown before stays. */
export interface ErrorDetail {
  message: string;
  line?: number;
  column?: number;
  hint?: string;
}

/** A classic script knows its own address only while it runs; a module finds its files by itself. */
const script = (document.currentScript as HTMLScriptElement | null)?.src;

let simulator: Promise<(text: string) => Opened> | undefined;
/** One simulator for all elements of a page, fetched when the first of them is about to be seen. */
const simulate = (): Promise<(text: string) => Opened> => (simulator ??= import("../simulator.js").then((m) => m.simulator(script ? new URL("hookwalk_bg.wasm", script).href : undefined)));

const ATTRIBUTES = ["src", "focus", "start", "lang", "theme", "height", "controls", "autoplay"];

export class HookwalkLab extends HTMLElement {
  static readonly version = VERSION;
  static observedAttributes = ATTRIBUTES;
  #player = new Player();
  #root: ShadowRoot;
  #seen: IntersectionObserver | undefined;
  #wanted = false;
  #last = -1;
  #tick = 0;
  #problem: ErrorDetail | undefined;
  #loading: AbortController | undefined;
  /** The slot of the beginning has made way. */
  #drawn = false;
  #dark = matchMedia("(prefers-color-scheme: dark)");

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = sheets();
    // What stands in the element is shown until the lab is there.
    this.#root.append(document.createElement("slot"));
    this.#player.addEventListener("change", () => this.#changed());
  }

  /** Makes an element from a lab's text or address and puts it into `parent`. */
  static create(source: string, parent: Element, options: Options = {}): HookwalkLab {
    const element = document.createElement("hookwalk-lab") as HookwalkLab;
    for (const [name, value] of Object.entries(options)) if (value !== undefined) element.setAttribute(name, value);
    if (source.includes("\n")) element.textContent = source;
    else element.setAttribute("src", source);
    parent.append(element);
    return element;
  }

  connectedCallback(): void {
    this.#theme();
    this.#dark.addEventListener("change", this.#theme);
    this.addEventListener("keydown", this.#key);
    this.#seen = new IntersectionObserver((entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      this.#seen?.disconnect();
      this.#wanted = true;
      void this.#start();
    }, { rootMargin: "600px" });
    this.#seen.observe(this);
  }
  disconnectedCallback(): void {
    this.#player.pause();
    this.#seen?.disconnect();
    this.#loading?.abort();
    this.#dark.removeEventListener("change", this.#theme);
    this.removeEventListener("keydown", this.#key);
  }
  attributeChangedCallback(name: string, old: string | null, now: string | null): void {
    if (old === now || !this.isConnected) return;
    if (name === "src" && this.#wanted) void this.#start();
    this.#theme();
    this.#draw();
  }

  /** Plays from here; at the end it begins anew. */
  play(): void {
    this.#player.play();
  }
  /** Stops. */
  pause(): void {
    this.#player.pause();
  }
  /** One step on, or back. */
  step(by: 1 | -1 = 1): void {
    this.#player.step(by);
  }
  /** Goes to a step. */
  seek(step: number): void {
    this.#player.pause();
    this.#player.seek(step);
    this.#tell<StepDetail>("seek", this.#where());
  }
  /** Shows another lab: its text, or the address of a file. Gives `false` where it has mistakes; what was there stays. */
  async load(source: string): Promise<boolean> {
    try {
      const text = source.includes("\n") ? source : await this.#fetch(source);
      return this.#open(text, await simulate());
    } catch (e) {
      this.#fail({ message: e instanceof Error ? e.message : String(e) });
      return false;
    }
  }
  /** The step that is shown. */
  get position(): number {
    return this.#player.at;
  }
  /** How many steps there are. */
  get length(): number {
    return this.#player.len;
  }
  /** The text of the lab that is shown. */
  get text(): string {
    return this.#player.lab?.text ?? "";
  }

  async #start(): Promise<void> {
    const source = this.getAttribute("src") ?? dedent(this.textContent ?? "");
    if (source.trim() === "") return this.#fail({ message: word(this.#lang, "embed_empty") });
    if (!(await this.load(source))) return;
    if (this.getAttribute("autoplay") === "visible" && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const seen = new IntersectionObserver((entries) => {
        if (!entries.some((e) => e.intersectionRatio >= 0.6)) return;
        seen.disconnect();
        this.play();
      }, { threshold: 0.6 });
      seen.observe(this);
    }
  }
  async #fetch(address: string): Promise<string> {
    this.#loading?.abort();
    this.#loading = new AbortController();
    const answer = await fetch(new URL(address, document.baseURI), { signal: this.#loading.signal });
    if (!answer.ok) throw new Error(`${address}: ${answer.status} ${answer.statusText}`);
    const text = await answer.text();
    if (text.length > 1_000_000) throw new Error(`${address}: a lab has at most a million characters`);
    return text;
  }
  #open(text: string, open: (text: string) => Opened): boolean {
    const opened = open(text);
    if (!opened.ok) {
      const p = opened.problems[0];
      this.#fail(p ? { message: p.message, line: p.line, column: p.col, ...(p.hint === undefined ? {} : { hint: p.hint }) } : { message: "" });
      return false;
    }
    this.#problem = undefined;
    const focus = opened.run.lab.stations.findIndex((s) => s.name === this.getAttribute("focus"));
    this.#last = -1;
    this.#player.open(opened.run, undefined, focus);
    const at = this.#begin();
    if (at !== undefined) this.#player.seek(at);
    const title = opened.run.lab.title.find((t) => t.lang?.startsWith(this.#lang))?.text ?? opened.run.lab.title[0]?.text ?? "";
    this.#tell<ReadyDetail>("ready", { steps: this.#player.len, title });
    return true;
  }
  /** The step that `start` names. */
  #begin(): number | undefined {
    const [kind, number] = (this.getAttribute("start") ?? "").split(":");
    const n = Number(number);
    const p = this.#player;
    if (kind === "end") return p.len;
    if (!Number.isFinite(n)) return undefined;
    if (kind === "step") return n;
    if (kind === "packet") return (p.lab?.packets.find((x) => x.id === n)?.first ?? 0) + 1;
    if (kind === "say") return p.stops[n - 1];
    return undefined;
  }

  get #lang(): Lang {
    const tag = this.getAttribute("lang") ?? this.closest("[lang]")?.getAttribute("lang") ?? "";
    if (/^zh\b/i.test(tag)) return "zh";
    return tag === "" ? preferred() : "en";
  }
  #theme = (): void => {
    const asked = this.getAttribute("theme") ?? "auto";
    const dark = asked === "dark" || (asked !== "light" && this.#dark.matches);
    this.dataset["theme"] = dark ? "dark" : "light";
    const height = this.getAttribute("height");
    this.style.setProperty("height", height && height !== "auto" ? height : "");
  };

  #where(): StepDetail {
    const event = this.#player.event(this.#player.at - 1);
    return { step: this.#player.at, steps: this.#player.len, kind: event?.kind ?? "", packet: event?.packet ?? 0 };
  }
  #changed(): void {
    this.#tick++;
    if (this.#player.at !== this.#last) {
      this.#last = this.#player.at;
      const where = this.#where();
      this.#tell<StepDetail>("step", where);
      const span = this.#player.lab?.packets.find((p) => p.id === where.packet);
      if (span && span.last === where.step && span.fate !== "open") this.#tell<VerdictDetail>("verdict", { ...where, fate: span.fate });
    }
    this.#draw();
  }
  #tell<T>(name: string, detail: T): void {
    this.dispatchEvent(new CustomEvent<T>(name, { detail, bubbles: name !== "error", composed: true }));
  }
  #fail(detail: ErrorDetail): void {
    this.#problem = detail;
    this.#draw();
    this.#tell<ErrorDetail>("error", detail);
  }

  /** Keys count while the focus is in here; elsewhere they are the page's. */
  #key = (e: KeyboardEvent): void => {
    const target = e.composedPath()[0] as HTMLElement;
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
    const p = this.#player;
    if (e.key === " " && target.tagName !== "BUTTON") p.toggle();
    else if (e.key === "ArrowRight") e.shiftKey ? p.stepPacket(1) : p.step(1);
    else if (e.key === "ArrowLeft") e.shiftKey ? p.stepPacket(-1) : p.step(-1);
    else return;
    e.preventDefault();
  };

  #draw(): void {
    if (!this.#player.run && !this.#problem) return;
    if (!this.#drawn) this.#root.replaceChildren();
    this.#drawn = true;
    const { lang, controls } = { lang: this.#lang, controls: this.getAttribute("controls") === "full" ? "full" : "minimal" };
    const p = this.#problem;
    const place = p?.line === undefined ? "" : `${p.line}:${p.column ?? 1}: `;
    render(
      html`<div class="hookwalk embed ${controls}" data-lang=${lang} lang=${lang} tabindex="0" role="group" part="frame" aria-label="Hookwalk">
        ${p ? html`<p class="problem" role="alert" part="error">${place}${p.message}${p.hint ? html`<br />${p.hint}` : ""}</p>` : ""}
        ${this.#player.run
          ? html`<hw-stage part="stage" .player=${this.#player} .tick=${this.#tick}></hw-stage>
              <hw-sentence part="sentence" .player=${this.#player} .tick=${this.#tick}></hw-sentence>
              <div class="controls" part="controls"><hw-controls .player=${this.#player} .tick=${this.#tick}></hw-controls></div>`
          : html`<slot></slot>`}
      </div>`,
      this.#root,
    );
  }
}

/** Text that was indented to survive in Markdown loses what all its lines have in common. */
export function dedent(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const indents = lines.filter((l) => l.trim() !== "").map((l) => /^[ \t]*/.exec(l)![0].length);
  const common = indents.length === 0 ? 0 : Math.min(...indents);
  return `${lines.map((l) => l.slice(common)).join("\n").trim()}\n`;
}

declare global {
  interface HTMLElementTagNameMap {
    "hookwalk-lab": HookwalkLab;
  }
}
if (!customElements.get("hookwalk-lab")) customElements.define("hookwalk-lab", HookwalkLab);
