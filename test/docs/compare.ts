/** Whether a command printed what a page shows. */

/**
 * Each line shown has to be printed, in this order; others may be between them. A word with a digit in it (a time, an
 * address, a pod's name) stands for any word, but for counts such as 2/2 and 0; `…` for anything; any space for any other.
 */
export function missing(shown: readonly string[], printed: string): string | undefined {
  const lines = printed.split("\n");
  let at = 0;
  for (const line of shown) {
    const pattern = patternOf(line);
    const found = lines.findIndex((each, index) => index >= at && pattern.test(each.trim()));
    if (found < 0) return line;
    at = found + 1;
  }
  return undefined;
}

function patternOf(line: string): RegExp {
  const words = line
    .trim()
    .split(/\s+/)
    .map((word) => (/\d/.test(word) && !/^(\d+\/\d+|\d)$/.test(word) ? "\\S+" : quoted(word)));
  return new RegExp(`^${words.join("\\s+")}$`);
}

const quoted = (word: string) => word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("…", ".*");
