/** https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md */

export type Variables = Readonly<Record<string, string | undefined>>;

/** What is wrong with the text; it has no place. */
export class InterpolationError extends Error {
  override readonly name = "InterpolationError";
}

const NAME = /^[_a-z][_a-z0-9]*/i;

/**
 * Puts variables in the place of `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?error}` and `${NAME:+other}`, nested
 * ones too; `$$` is a dollar sign. `unset` hears of names that have neither a value nor a default.
 */
export function interpolate(text: string, variables: Variables, unset: (name: string) => void): string {
  let out = "";
  let rest = text;
  for (;;) {
    const dollar = rest.indexOf("$");
    if (dollar < 0) return out + rest;
    out += rest.slice(0, dollar);
    rest = rest.slice(dollar + 1);
    const plain = NAME.exec(rest)?.[0];
    if (rest.startsWith("$")) {
      out += "$";
      rest = rest.slice(1);
    } else if (plain) {
      out += lookup(plain, variables, unset);
      rest = rest.slice(plain.length);
    } else if (rest.startsWith("{")) {
      const end = closing(rest);
      if (end < 0) throw new InterpolationError(`\${ has no } in ${text}`);
      out += braced(rest.slice(1, end), variables, unset);
      rest = rest.slice(end + 1);
    } else out += "$";
  }
}

function lookup(name: string, variables: Variables, unset: (name: string) => void): string {
  const value = variables[name];
  if (value === undefined) unset(name);
  return value ?? "";
}

/** Where the brace that the text begins with is closed; -1 for nowhere. */
function closing(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text.startsWith("${", at) || at === 0) depth++;
    if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

function braced(inner: string, variables: Variables, unset: (name: string) => void): string {
  const name = NAME.exec(inner)?.[0];
  const [, operator, word = ""] = /^(:?[-?+])([\s\S]*)$/.exec(inner.slice(name?.length)) ?? [];
  if (!name || (operator === undefined && name !== inner))
    throw new InterpolationError(`\${${inner}} is no variable: a name, or one with :-, -, :?, ?, :+ or + after it`);
  if (operator === undefined) return lookup(name, variables, unset);
  const value = variables[name];
  const isThere = value !== undefined && (value !== "" || !operator.startsWith(":"));
  const other = () => interpolate(word, variables, unset);
  switch (operator.at(-1)) {
    case "+":
      return isThere ? other() : "";
    case "-":
      return isThere ? value : other();
    default:
      if (isThere) return value;
      throw new InterpolationError(`${name} has to be set${word ? `: ${other()}` : ""}`);
  }
}
