/// The library: a puzzle found by the words of its symptom, and the tour. Fetched when it is opened for the first time.
import { html, nothing, type TemplateResult } from "lit";
import library, { groups } from "virtual:library";
import { Piece } from "../piece.js";
import { forget, progress, type Progress } from "../keep.js";
import { Finder, type Findable } from "../search.js";

interface Tour {
  title: Record<string, string>;
  about: Record<string, string>;
  answer: Record<string, string> & { question: Record<string, string> };
  stops: { lab: string; topic: Record<string, string>; before: Record<string, string>; after: Record<string, string> }[];
}
type Entry = Findable & { group: string };

const KEY = "hookwalk.tour";

/** Is the reader on the tour? Kept as long as the tab is. */
function onTour(): boolean {
  try {
    return sessionStorage.getItem(KEY) === "1";
  } catch {
    return false;
  }
}
function setTour(on: boolean): void {
  try {
    if (on) sessionStorage.setItem(KEY, "1");
    else sessionStorage.removeItem(KEY);
  } catch {
    // Without storage there is no strip; the labs are the same.
  }
}

let tourData: Promise<Tour> | undefined;
const loadTour = (): Promise<Tour> => (tourData ??= import("../../../labs/tour.json").then((m) => m.default as unknown as Tour));

/** The address of a lab on this very page, by its file name: a bare `#…` would pass for a link to a part of the page. */
const labAddress = (name: string): string => `${location.pathname.split("/").at(-1) || "./"}#lab=${name}`;

const titled = (title: Record<string, string>, lang: string): string => title[lang] ?? title[""] ?? "";

export class Library extends Piece {
  static override properties = { ...Piece.properties, query: { state: true }, entries: { state: true }, tour: { state: true }, kept: { state: true } };
  declare kept: Progress;
  declare query: string;
  declare entries: Entry[];
  declare tour: Tour | undefined;
  #finder: Finder<Entry> | undefined;

  constructor() {
    super();
    this.query = "";
    this.entries = [];
    this.kept = { labs: {} };
  }

  /** Opens the dialog, with what it needs. */
  async open(): Promise<void> {
    this.kept = progress();
    this.querySelector("dialog")?.showModal();
    if (this.#finder) return;
    const [index, tour] = await Promise.all([import("../../../labs/index.json"), loadTour()]);
    const listed = index.default.labs as unknown as Omit<Entry, "title">[];
    this.entries = library.flatMap((l) => {
      const found = listed.find((e) => e.name === l.name);
      return found ? [{ ...found, title: l.title }] : [];
    });
    this.#finder = new Finder(this.entries);
    this.tour = tour;
  }

  private close = (): void => this.querySelector("dialog")?.close();
  private start = (): void => {
    setTour(true);
    this.close();
  };

  protected override render(): TemplateResult {
    const lang = this.language;
    const found = this.query.trim() ? (this.#finder?.find(this.query) ?? []) : undefined;
    return html`
      <button class="tool find" title=${this.w("find_puzzle")} aria-label=${this.w("find_puzzle")} @click=${() => void this.open()}>
        <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><circle cx="10.5" cy="10.5" r="6" /><path d="M15 15l5 5" /></svg><span>${this.w("find_puzzle")}</span></button>
      <dialog class="library" aria-label=${this.w("library")}>
        <form method="dialog" class="head">
          <input type="search" autofocus placeholder=${this.w("find_by_symptom")} aria-label=${this.w("find_by_symptom")}
            .value=${this.query} @input=${(e: Event) => (this.query = (e.target as HTMLInputElement).value)}
            @keydown=${(e: KeyboardEvent) => e.key === "Enter" && this.enter(e, found)} />
          <button class="tool">${this.w("close")}</button>
        </form>
        <div class="results" aria-live="polite">
          ${found
            ? found.length > 0
              ? html`<ul>${found.slice(0, 8).map((e) => this.item(e))}</ul>`
              : html`<p class="empty">${this.w("no_puzzle")}</p>`
            : html`
              ${this.tour
                ? html`<section class="tour-card"><h2>${titled(this.tour.title, lang)}</h2><p>${titled(this.tour.about, lang)}</p>
                    <a class="tool" href=${labAddress(this.tour.stops[0]?.lab ?? "")} @click=${this.start}>${this.w("tour_start")}</a></section>`
                : nothing}
              ${groups.map((g) => {
                const of = this.entries.filter((e) => e.group === g.id);
                return of.length ? html`<section><h2>${titled(g.title, lang)}</h2><ul>${of.map((e) => this.item(e))}</ul></section>` : nothing;
              })}`}
        </div>
        <p class="foot"><a class="link" href="./library${lang === "zh" ? ".zh" : ""}.html">${this.w("library_page")}</a>
          <a class="link" href="./glossary${lang === "zh" ? ".zh" : ""}.html">${this.w("glossary")}</a></p>
        ${Object.keys(this.kept.labs).length > 0 ? html`<p class="foot kept">${this.w("kept_here")} <button class="link" @click=${this.forget}>${this.w("forget")}</button></p>` : nothing}
      </dialog>`;
  }

  private item(entry: Entry): TemplateResult {
    const lang = this.language;
    return html`<li><a href=${labAddress(entry.name)} @click=${this.leave}>${titled(entry.title, lang)}</a>${this.seen(entry.name)}
      <span class="symptoms">${(entry.symptoms[lang] ?? []).slice(0, 3).join(lang === "zh" ? "；" : "; ")}</span></li>`;
  }
  /** How far the reader has come in it. */
  private seen(name: string): TemplateResult | typeof nothing {
    const visit = this.kept.labs[name];
    if (!visit) return nothing;
    const told = Object.values(visit.told ?? {});
    const right = told.filter(Boolean).length;
    return html` <span class="seen ${visit.over ? "over" : ""}">${visit.over ? "✓ " : ""}${this.w(visit.over ? "seen" : "begun", { n: visit.at })}${told.length ? html` · ${this.w("predicted", { n: right, of: told.length })}` : nothing}</span>`;
  }
  private forget = (): void => {
    forget();
    this.kept = progress();
  };
  /** A lab chosen by hand ends the tour. */
  private leave = (): void => {
    setTour(false);
    this.close();
  };
  private enter(e: KeyboardEvent, found: Entry[] | undefined): void {
    e.preventDefault();
    if (!found?.[0]) return;
    location.hash = `#lab=${found[0].name}`;
    this.leave();
  }
}
customElements.define("hw-library", Library);

/** Where the reader is on the tour: what this stop is about, what it taught, and the next one. */
export class TourStrip extends Piece {
  static override properties = { ...Piece.properties, lab: { attribute: false }, tour: { state: true } };
  declare lab: string;
  declare tour: Tour | undefined;

  protected override render(): TemplateResult {
    if (!onTour()) return html``;
    if (!this.tour) {
      void loadTour().then((t) => (this.tour = t));
      return html``;
    }
    const lang = this.language;
    const { stops, answer } = this.tour;
    const at = stops.findIndex((s) => s.lab === this.lab);
    const stop = stops[at];
    if (!stop) return html``;
    const over = this.player.len > 0 && this.player.at >= this.player.len;
    const [before, next] = [stops[at - 1], stops[at + 1]];
    return html`<section class="tour" aria-label=${this.w("tour")}>
      <p><b>${at + 1}/${stops.length} ${titled(stop.topic, lang)}</b> ${titled(over ? stop.after : stop.before, lang)}</p>
      ${over && !next ? html`<details><summary>${titled(answer.question, lang)}</summary><p>${titled(answer, lang)}</p></details>` : nothing}
      <nav>
        ${before ? html`<a class="tool" href=${labAddress(before.lab)}>${this.w("tour_back")}</a>` : nothing}
        ${next ? html`<a class="tool" href=${labAddress(next.lab)}>${this.w("tour_next", { topic: titled(next.topic, lang) })}</a>` : nothing}
        <button class="tool" @click=${this.leave}>${this.w("tour_leave")}</button>
      </nav>
    </section>`;
  }
  private leave = (): void => {
    setTour(false);
    this.requestUpdate();
  };
}
customElements.define("hw-tour", TourStrip);
