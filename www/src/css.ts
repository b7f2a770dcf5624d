/// Styles set through the object model: a style attribute is what a strict content security policy forbids, and Lit's own
/// styleMap writes one on first drawing.
import { noChange } from "lit";
import { directive, Directive, PartType, type AttributePart, type PartInfo } from "lit/directive.js";

class Css extends Directive {
  #set = new Map<string, string>();

  constructor(info: PartInfo) {
    super(info);
    if (info.type !== PartType.ATTRIBUTE || info.name !== "style") throw new Error("styleMap belongs into style=");
  }
  override render(_: Record<string, string>): typeof noChange {
    return noChange;
  }
  override update(part: AttributePart, [styles]: [Record<string, string>]): typeof noChange {
    const { style } = part.element as HTMLElement;
    for (const [name, value] of Object.entries(styles)) {
      if (this.#set.get(name) === value) continue;
      this.#set.set(name, value);
      style.setProperty(name, value);
    }
    return noChange;
  }
}

/** `style=${styleMap({ width: "4px" })}`; the same names must be given each time. */
export const styleMap = directive(Css);
