/** What a page of the documentation holds: its fenced blocks, the commands in them, and what its comments say of those. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** A command, and what the page shows that it prints: lines, of which `compare.ts` tells what they mean. */
export type Command = { text: string; shown: readonly string[] };

/**
 * A fenced block. A comment right before it says what is special about it:
 *
 * - `not run: WHY`: its commands cannot be run by a test, or it shows what is not there in one;
 * - `run by: FILE`: a test of its own, or another page, runs the same;
 * - `fails: WHY`: what it shows is how it is refused;
 * - `on: NODE`: typed on the machine of that node, and not where the cluster was started;
 * - `file: NAME`: its text is a file of that name in the reader's folder.
 */
export type Block = {
  page: string;
  line: number;
  language: string;
  text: string;
  notRun?: string;
  runBy?: string;
  fails?: string;
  on?: string;
  file?: string;
  commands: readonly Command[];
};

const FENCE = /^(?:<!-- ([a-z ]+): (.+?) -->\n+)?```(\S*)\n([\s\S]*?)^```$/gm;

export function blocksOf(page: string, markdown: string): Block[] {
  return [...markdown.matchAll(FENCE)].map(([whole, word = "", said = "", language = "", text = ""]) => {
    const opening = markdown.indexOf(whole);
    const notes: Record<string, Partial<Block>> = {
      "not run": { notRun: said },
      "run by": { runBy: said },
      fails: { fails: said },
      on: { on: said },
      file: { file: said },
    };
    if (word && !notes[word]) throw new Error(`${page}: there is no such note: ${word}`);
    const line = markdown.slice(0, opening).split("\n").length;
    const commands = language === "console" ? session(text) : language === "sh" ? script(text) : [];
    return { page, line, language, text, ...notes[word], commands };
  });
}

/** A line that ends in a backslash goes on in the next. */
const joined = (text: string) => text.replace(/\\\n\s*/g, "");

function script(text: string): Command[] {
  return joined(text)
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => ({ text: line, shown: [] }));
}

/** `$ ` begins a command; what follows is what it prints. */
function session(text: string): Command[] {
  const [before, ...rest] = joined(`\n${text}`).split("\n$ ");
  if (before?.trim()) throw new Error(`a session begins with a command: ${before.trim()}`);
  return rest.map((part) => {
    const [command = "", ...shown] = part.split("\n");
    return { text: command, shown: shown.filter((line) => line.trim() !== "") };
  });
}

/** All pages, the README among them. */
export const pages = (): string[] => [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

export const read = (page: string): string => readFileSync(join(ROOT, page), "utf8");
