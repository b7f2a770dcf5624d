/// Terms in texts of both languages.
import { expect, test } from "vitest";
import data from "../../labs/glossary.json";
import { Glossary, type Term } from "./glossary.js";

const terms = data.terms as unknown as Term[];
const said = (lang: "en" | "zh", text: string): string =>
  new Glossary(terms, lang).bits(text).map((b) => (b.code ? `<${b.text}>` : b.term ? `[${b.text}=${b.term.id}]` : b.text)).join("");

test("the longest term that fits, once", () => {
  expect(said("en", "A null binding is a binding. Null bindings stay; a null binding too.")).toBe(
    "A [null binding=null-binding] is a [binding=binding]. Null bindings stay; a null binding too.",
  );
});

test("capitals at the beginning of a sentence, none in the middle of a word", () => {
  expect(said("en", "Confirm comes last. `conntrack -L` lists what is CONFIRMED.")).toBe("[Confirm=confirm] comes last. <conntrack -L> lists what is CONFIRMED.");
});

test("Chinese needs no blanks", () => {
  expect(said("zh", "\u8fd9\u662f\u7a7a\u7ed1\u5b9a\u3002")).toBe("\u8fd9\u662f[\u7a7a\u7ed1\u5b9a=null-binding]\u3002");
});

test("nothing is lost", () => {
  for (const text of ["", "plain", "`a`", "a ` b", "DNAT, SNAT and MASQUERADE"]) {
    expect(new Glossary(terms, "en").bits(text).map((b) => (b.code ? `\`${b.text}\`` : b.text)).join("")).toBe(text);
  }
});
