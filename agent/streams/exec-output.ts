/** How a command in a terminal ended, from what nerdctl says of it. */
import { failureMessage } from "../nerdctl.ts";

/** nerdctl's own last line about a command that failed; the command's code is in it. */
const EXIT_LINE = /(^|\n)time="[^"\n]*" level=fatal msg="exec failed with exit code (\d+)"\n?$/;
/** How each last word of nerdctl begins. */
const LAST_WORD = /(^|\n)time="[^"\n]*" level=fatal msg=[^\n]*\n?$/;

export type Outcome =
  | { code: number }
  /** It could not be started. */
  | { code: undefined; problem: string };

/** `code` is nerdctl's, which is 1 for every failure, and `said` its error output. */
export function outcomeOf(code: number, said: string): Outcome {
  const exit = code === 0 ? null : EXIT_LINE.exec(said);
  if (exit) return { code: Number(exit[2]) };
  if (code !== 0 && LAST_WORD.test(said)) return { code: undefined, problem: failureMessage(said) };
  return { code };
}
