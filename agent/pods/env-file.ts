/**
 * The value that a file of variables gives to `key`; "" when it gives none. Throws at what is no such file.
 *
 * A line is `NAME='value'`: nothing stands for anything else between the quotes, which may be lines apart. What comes
 * after a `#` there or alone on a line is said to people.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-via-file/
 */
export function envFileValue(text: string, key: string): string {
  let rest = text.replaceAll("\r\n", "\n");
  while (rest !== "") {
    const end = rest.indexOf("\n");
    const line = end < 0 ? rest : rest.slice(0, end);
    const after = end < 0 ? "" : rest.slice(end + 1);
    if (/^[ \t]*(#.*)?$/.test(line)) {
      rest = after;
      continue;
    }
    const name = /^[ \t]*([^=]*[^=\s])=/.exec(line);
    if (!name?.[1]) throw new Error(`no name is set by ${JSON.stringify(line)}`);
    const value = rest.slice(name[0].length);
    // A shell takes what comes after a space for another word.
    if (/^[ \t]/.test(value)) {
      if (name[1] === key) return "";
      rest = after;
      continue;
    }
    const quoted = /^'([^']*)'[ \t]*(#.*)?(\n|$)/.exec(value);
    if (!quoted) throw new Error(`${name[1]} has no value in quotes`);
    if (name[1] === key) return quoted[1] ?? "";
    rest = value.slice(quoted[0].length);
  }
  return "";
}
