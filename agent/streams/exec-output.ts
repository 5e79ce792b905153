/** Tells nerdctl's own words in a command's error output from the command's. */
import { failureMessage } from "../nerdctl.ts";

/** nerdctl's own last line about a command that failed; the command's code is in it. */
const EXIT_LINE = /(^|\n)time="[^"\n]*" level=fatal msg="exec failed with exit code (\d+)"\n?$/;
/** How each last word of nerdctl begins. */
const LAST_WORD = /(^|\n)time="[^"\n]*" level=fatal msg=[^\n]*\n?$/;

export type Outcome = {
  /** The command's exit code; undefined when it could not be started, and `problem` says why. */
  code: number | undefined;
  problem?: string;
  /** What is left of its error output when nerdctl's word is taken out. */
  stderr: string;
};

/** `code` is nerdctl's, which is 1 for every failure. */
export function outcomeOf(code: number, stderr: string): Outcome {
  if (code === 0) return { code, stderr };
  const exit = EXIT_LINE.exec(stderr);
  if (exit) return { code: Number(exit[2]), stderr: stderr.slice(0, exit.index) + exit[1] };
  const word = LAST_WORD.exec(stderr);
  if (!word) return { code, stderr };
  return { code: undefined, problem: failureMessage(stderr), stderr: stderr.slice(0, word.index) + word[1] };
}

const HEAD = 'time="';
const LEVEL = '" level=fatal msg=';

/** Where the part of a text begins that may be, or become, nerdctl's last word; its length when there is none. */
export function lastWordAt(text: string): number {
  const lineEnd = text.endsWith("\n") ? text.length - 1 : text.length;
  const start = lineEnd === 0 ? 0 : text.lastIndexOf("\n", lineEnd - 1) + 1;
  const line = text.slice(start, lineEnd);
  if (line.length < HEAD.length) return HEAD.startsWith(line) && lineEnd === text.length ? start : text.length;
  const quote = line.indexOf('"', HEAD.length);
  const rest = quote === -1 ? "" : line.slice(quote);
  return line.startsWith(HEAD) && (rest.startsWith(LEVEL) || LEVEL.startsWith(rest)) ? start : text.length;
}

/** Passes a stream on as it comes, but for what may be nerdctl's last word, which is left in `held`. */
export async function* withoutLastWord(stream: AsyncIterable<Buffer>, held: { text: string }): AsyncIterable<Buffer> {
  for await (const chunk of stream) {
    const text = held.text + chunk.toString("latin1");
    const at = lastWordAt(text);
    held.text = text.slice(at);
    if (at > 0) yield Buffer.from(text.slice(0, at), "latin1");
  }
}
