/// The page's own style sheets, made to fit into an element: what the page says of its root holds for the host.
import stage from "../style/stage.css?inline";
import tokens from "../style/tokens.css?inline";
import app from "../style/app.css?inline";
import embed from "./embed.css?inline";

let made: CSSStyleSheet[] | undefined;

/** One set for all elements of the page. */
export function sheets(): CSSStyleSheet[] {
  made ??= [tokens, app, stage, embed].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(hosted(text));
    return sheet;
  });
  return made;
}

/** `:root[…]` becomes `:host([…])`, `:root` and `body` become `:host`. */
export function hosted(text: string): string {
  return text
    .replace(/:root(\[[^\]]+\])+/g, (all) => `:host(${all.slice(":root".length)})`)
    .replace(/:root\b/g, ":host")
    .replace(/(^|[\s,}])(html|body)(?=[\s,{])/g, "$1:host");
}
