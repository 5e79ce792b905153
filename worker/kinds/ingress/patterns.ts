/** Patterns (RE2) of rules. Everybody who may write routes may write them, so what one takes of memory and time is bounded. */
import { RE2JS } from "re2js";

/** Characters of a pattern. */
const MOST_CHARACTERS = 500;
/** Instructions that a pattern comes to, of up to 1 KB each: counted repeats are written out. */
const MOST_INSTRUCTIONS = 10_000;
/** Characters that one is held against. */
const MOST_TEXT = 8192;

/** Patterns that are kept, so that they are not read anew for each request; and the instructions of all of them. */
const MOST_PATTERNS = 1000;
const MOST_KEPT = 50_000;

type Compiled = RE2JS | { problem: string };

const kept = new Map<string, Compiled>();
let size = 0;

/** Whether the whole of a text is as a pattern says. What is no pattern matches nothing, nor does a text that is too long. */
export function fits(pattern: string, text: string): boolean {
  const found = text.length > MOST_TEXT ? undefined : compiled(pattern);
  return found instanceof RE2JS && found.matches(text);
}

/** Why something is no pattern that is served. */
export function patternProblem(text: string): string | undefined {
  const found = compiled(text);
  return found instanceof RE2JS ? undefined : found.problem;
}

function compiled(text: string): Compiled {
  const known = kept.get(text);
  if (known) return known;
  const made = compile(text);
  if (text.length > MOST_CHARACTERS) return made;
  const added = made instanceof RE2JS ? made.programSize() : 0;
  if (kept.size >= MOST_PATTERNS || size + added > MOST_KEPT) {
    kept.clear();
    size = 0;
  }
  kept.set(text, made);
  size += added;
  return made;
}

function compile(text: string): Compiled {
  const tooLarge = { problem: "is too large a regular expression" };
  if (text.length > MOST_CHARACTERS || sizeOf(text) > MOST_INSTRUCTIONS) return tooLarge;
  try {
    const made = RE2JS.compile(text);
    return made.programSize() > MOST_INSTRUCTIONS ? tooLarge : made;
  } catch {
    return { problem: "is no regular expression (RE2)" };
  }
}

/** What is quoted, escaped, of a class, how often the last one is repeated, and every other character. */
const TOKEN =
  /\\Q([\s\S]*?)(?:\\E|$)|\\[pPx]\{[^}]*\}|\\[\s\S]|\[\^?\]?(?:\[:\^?\w+:\]|\\[\s\S]|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|[\s\S]/g;

/** How many instructions a pattern comes to at most, about. Nothing is written out for it. */
export function sizeOf(text: string): number {
  const outer: number[] = [];
  let sum = 0;
  let last = 0;
  for (const [token, quoted, least, most] of text.matchAll(TOKEN)) {
    if (least !== undefined) {
      const repeated = (last + 1) * Math.max(1, Number(least), Number(most ?? 0));
      sum += repeated - last;
      last = repeated;
    } else if (token === "(") {
      outer.push(sum);
      sum = 0;
    } else if (token === ")") {
      last = sum + 2;
      sum = (outer.pop() ?? 0) + last;
    } else if ("*+?".includes(token)) {
      sum += 1;
      last += 1;
    } else {
      sum += quoted?.length ?? 1;
      last = 1;
    }
  }
  return sum;
}
