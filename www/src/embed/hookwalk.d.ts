/** `<hookwalk-lab>`: see docs/EMBEDDING.md. Importing the package defines the element. */
export declare const VERSION: string;
export interface Options {
  focus?: string;
  start?: string;
  lang?: string;
  theme?: "light" | "dark" | "auto";
  height?: string;
  controls?: "full" | "minimal";
  autoplay?: "visible";
}
export interface ReadyDetail {
  steps: number;
  title: string;
}
export interface StepDetail {
  step: number;
  steps: number;
  kind: string;
  packet: number;
}
export interface VerdictDetail extends StepDetail {
  fate: "delivered" | "sent" | "dropped";
}
export interface ErrorDetail {
  message: string;
  line?: number;
  column?: number;
  hint?: string;
}
export declare class HookwalkLab extends HTMLElement {
  static readonly version: string;
  static create(source: string, parent: Element, options?: Options): HookwalkLab;
  play(): void;
  pause(): void;
  step(by?: 1 | -1): void;
  seek(step: number): void;
  load(source: string): Promise<boolean>;
  readonly position: number;
  readonly length: number;
  readonly text: string;
}
export declare function dedent(text: string): string;
declare global {
  interface HTMLElementTagNameMap {
    "hookwalk-lab": HookwalkLab;
  }
}
