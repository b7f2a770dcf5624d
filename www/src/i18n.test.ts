import { expect, test } from "vitest";
import en from "../../crates/lab/phrases/en.json";
import source from "../../crates/lab/src/facts.rs?raw";
import zh from "../../crates/lab/phrases/zh.json";
import enPage from "./words/en.json";
import zhPage from "./words/zh.json";
import { brief, phrase, pick, pickAll, pieces } from "./i18n.js";

const holes = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

test.each([
  ["phrases", en as Record<string, string>, zh as Record<string, string>],
  ["words", enPage as Record<string, string>, zhPage as Record<string, string>],
])("both languages say the same %s with the same blanks", (_, a, b) => {
  expect(Object.keys(b).sort()).toEqual(Object.keys(a).sort());
  for (const key of Object.keys(a)) expect(holes(b[key]!), key).toEqual(holes(a[key]!));
});

test("every fact that can be told has its phrase, and no phrase waits for a fact that cannot", () => {
  // Keys are the only quoted words of that file that look like this.
  const keys = new Set([...source.matchAll(/Fact::new\(\s*"([\w.]+)"|"((?:[a-z_]+\.)+[a-z_]+)"|\(?"(chain(?:\.empty)?)"|=> "([\w.]+)"|at_rule\("([\w.]+)"/g)].map((m) => m.slice(1).find(Boolean)!));
  const bases = new Set(Object.keys(en).filter((k) => !/\.(short|why)$/.test(k)));
  for (const key of bases) if (!key.startsWith("why.")) expect(source, key).toContain(`"${key}"`);
  for (const key of keys) if (key.includes(".")) expect(bases, key).toContain(key);
});

test("short and why phrases belong to a phrase", () => {
  for (const key of Object.keys(en)) {
    const base = key.replace(/\.(short|why)$/, "");
    expect(en, key).toHaveProperty([base]);
  }
});

test("fills in, and falls back", () => {
  const fact = { key: "transmit", args: [["packet", "1"], ["host", "a"], ["dev", "eth0"], ["text", "{host}"]] as [string, string][] };
  expect(phrase("en", fact)).toBe("Packet 1 leaves a by eth0: {host}.");
  expect(brief("en", fact)).toBe("out by eth0");
  expect(pieces("en", fact).map((p) => p.text).join("")).toBe(phrase("en", fact));
  expect(phrase("en", { key: "no.such.key", args: [] })).toBe("no.such.key");
});

test("picks the reader's language, else the lab's own", () => {
  const texts = [{ text: "own" }, { lang: "zh-CN", text: "zh" }];
  expect(pick("zh", texts)).toBe("zh");
  expect(pick("en", texts)).toBe("own");
  expect(pickAll("zh", [...texts, { lang: "zh", text: "more" }])).toEqual(["zh", "more"]);
  expect(pick("en", [])).toBe("");
});
