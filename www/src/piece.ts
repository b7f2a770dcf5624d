/// The base of the page's elements: drawn into the page itself, so that one style sheet serves all.
import { LitElement, type PropertyDeclarations } from "lit";
import type { Lang, Word } from "./i18n.js";
import { word } from "./i18n.js";
import type { Player } from "./player.js";

export abstract class Piece extends LitElement {
  static override properties: PropertyDeclarations = { player: { attribute: false }, tick: { attribute: false } };
  declare player: Player;
  /** Changes whenever the player does, so that Lit draws anew. */
  declare tick: number;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }
  protected w(key: Word, args?: Record<string, string | number>): string {
    return word(this.language, key, args);
  }
  /** The reader's language: the element that it is part of says, else the document. */
  protected get language(): Lang {
    const lang = this.closest<HTMLElement>("[data-lang]")?.dataset["lang"] ?? document.documentElement.lang;
    return lang.startsWith("zh") ? "zh" : "en";
  }
  /** Where theme and colours are set: the element that it is part of, else the document. */
  protected get scope(): HTMLElement {
    const root = this.getRootNode();
    return root instanceof ShadowRoot ? (root.host as HTMLElement) : document.documentElement;
  }
}

/** A packet's hue, the same wherever it shows: golden-angle steps, so that neighbours differ. */
export const hue = (packet: number): number => Math.round((packet * 137.5 + 190) % 360);
