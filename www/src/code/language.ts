/// The lab language's colours: a tokenizer line by line. What is right or wrong is the parser's business, not this one's.
import { HighlightStyle, StreamLanguage, syntaxHighlighting, type StringStream } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { tags } from "@lezer/highlight";

interface State {
  /** What the line is: nothing read yet, a command, a packet, prose, a declaration, a command's input. */
  line: "start" | "tool" | "command" | "packet" | "text" | "declaration" | "input";
  /** The word that ends a command's input. */
  until: string | undefined;
}

const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}\]?)(?:\/\d{1,3})?(?::\d+)?(?![\w.])/;

function token(stream: StringStream, state: State): string | null {
  if (stream.sol()) {
    if (state.until !== undefined) {
      if (stream.string === state.until) {
        state.until = undefined;
        stream.skipToEnd();
        return "meta";
      }
      state.line = "input";
    } else state.line = "start";
  }
  if (stream.eatSpace()) return null;
  switch (state.line) {
    case "start": {
      if (stream.peek() === "#") return skip(stream, "comment");
      const prompt = /^[A-Za-z]\w*([#$>])/.exec(rest(stream));
      if (prompt) {
        stream.pos += prompt[0].length;
        state.line = prompt[1] === ">" ? "packet" : "tool";
        return "meta";
      }
      const word = stream.match(/^[A-Za-z]\w*/) as RegExpMatchArray | null;
      if (!word) return skip(stream, null);
      stream.match(/^\[[\w-]*\]/);
      state.line = /^(title|about|say|ask|expect)$/.test(word[0]) ? "text" : "declaration";
      return "keyword";
    }
    case "text":
      return skip(stream, "string");
    case "tool":
      stream.eatWhile(/[^\s]/);
      state.line = "command";
      return "function";
    case "input":
      if (stream.column() === 0) {
        if (stream.peek() === "#") return skip(stream, "comment");
        if (stream.eat("*") || stream.match("COMMIT")) return skip(stream, "keyword");
        if (stream.eat(":")) {
          stream.eatWhile(/\S/);
          return "type";
        }
      }
      return word(stream);
    case "command": {
      const input = stream.match(/^<<\s*(['"]?)([^\s'"]+)\1/) as RegExpMatchArray | null;
      if (input) {
        state.until = input[2];
        return "meta";
      }
      return word(stream);
    }
    default:
      return word(stream);
  }
}

/** A word of a command, a packet or a declaration. */
function word(stream: StringStream): string | null {
  const next = stream.peek();
  if (next === "'" || next === '"') {
    stream.next();
    while (!stream.eol()) {
      const c = stream.next();
      if (c === "\\" && next === '"') stream.next();
      else if (c === next) break;
    }
    return "string";
  }
  if (stream.match(ADDRESS)) return "number";
  if (stream.match(/^--?[A-Za-z][\w-]*/)) return "attribute";
  if (stream.match(/^[A-Za-z][\w.-]*(?==)/)) return "attribute";
  if (stream.match(/^[A-Z][A-Z0-9]{2,}(?![\w-])/)) return "type";
  if (stream.match(/^\d+(?![\w.])/)) return "number";
  if (stream.match(/^[=,!>&]/)) return "operator";
  if (!stream.match(/^[^\s=,'"]+/)) stream.next();
  return null;
}

const rest = (stream: StringStream): string => stream.string.slice(stream.pos);
function skip(stream: StringStream, as: string | null): string | null {
  stream.skipToEnd();
  return as;
}

const lab = StreamLanguage.define<State>({
  name: "lab",
  startState: () => ({ line: "start", until: undefined }),
  copyState: (s) => ({ ...s }),
  token,
  languageData: { commentTokens: { line: "#" } },
  tokenTable: { function: tags.function(tags.variableName), attribute: tags.attributeName, type: tags.typeName },
});

/** Colours are the page's own variables, so that every theme has them. */
const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "650" },
  { tag: tags.meta, color: "var(--conntrack)", fontWeight: "600" },
  { tag: tags.function(tags.variableName), color: "var(--ink)", fontWeight: "650" },
  { tag: tags.attributeName, color: "var(--filter)" },
  { tag: tags.typeName, color: "var(--mangle)" },
  { tag: tags.number, color: "var(--nat)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: tags.comment, color: "var(--ink-2)", fontStyle: "italic" },
  { tag: tags.operator, color: "var(--ink-2)" },
]);

export const labLanguage: Extension = [lab, syntaxHighlighting(colours)];
