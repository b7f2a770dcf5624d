/// The inside of an iframe: the address after `#` says which lab, the outside is told how high it is.
import { LinkError, readAddress, unpack } from "../address.js";
import { preferred, word } from "../i18n.js";
import { HookwalkLab, type Options } from "./element.js";

/** What the frame posts to its parent. */
export interface FrameMessage {
  hookwalk: "height";
  height: number;
}

const given = new URLSearchParams(location.hash.replace(/^#/, ""));
const options: Options = {};
for (const name of ["focus", "start", "lang", "theme", "controls", "autoplay"] as const) {
  const value = given.get(name);
  if (value !== null) (options as Record<string, string>)[name] = value;
}
// A link of the page names a step as `at`.
const { at, text, unknown } = readAddress();
if (at !== undefined) options.start ??= `step:${at}`;

const lang = given.get("lang")?.startsWith("zh") ? "zh" : given.has("lang") ? "en" : preferred();
let wrong = unknown === undefined ? "" : word(lang, "link_version", { version: unknown });
const source = text
  ? await unpack(text).catch((e: unknown) => {
      wrong = word(lang, e instanceof LinkError && e.why === "large" ? "link_large" : "link_broken");
      return "";
    })
  : (given.get("src") ?? "");
let element: HTMLElement;
if (wrong) {
  element = document.createElement("p");
  element.setAttribute("role", "alert");
  element.textContent = wrong;
  document.body.append(element);
} else element = HookwalkLab.create(source, document.body, options);
new ResizeObserver(() => {
  const message: FrameMessage = { hookwalk: "height", height: Math.ceil(element.getBoundingClientRect().height) };
  parent.postMessage(message, "*");
}).observe(element);
