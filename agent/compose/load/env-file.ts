/** `.env` files and what `env_file` names: lines of NAME=VALUE. */
import { InterpolationError, interpolate, type Variables } from "./interpolate.ts";

export class EnvFileError extends Error {
  override readonly name = "EnvFileError";
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(?:[=:]\s*|$)/;
const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$$" };

/**
 * Values in single quotes are as they stand; others take `${NAME}` from the lines before and from `variables`. A name
 * alone takes its value from there too. `raw` takes every line as it is.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#env_file
 */
export function parseEnvFile(text: string, variables: Variables, raw = false): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    const [start, name = ""] = ASSIGNMENT.exec(line) ?? [];
    if (start === undefined) throw new EnvFileError(`${line.trim()} is no NAME=VALUE`, index + 1);
    const known = { ...variables, ...found };
    if (!/[=:]/.test(start)) {
      if (variables[name] !== undefined) found[name] = variables[name];
      continue;
    }
    const at = index + 1;
    let value = line.slice(start.length);
    const quote = value[0];
    if (raw || (quote !== "'" && quote !== '"')) {
      found[name] = raw ? value : expand(value.replace(/(^|\s)#.*$/, "").trim(), known, at);
      continue;
    }
    while (closed(value) < 0) {
      if (++index >= lines.length) throw new EnvFileError(`${name}: the quote is not closed`, at);
      value += `\n${lines[index]}`;
    }
    const inner = value.slice(1, closed(value));
    const literal = quote === "'";
    found[name] = literal
      ? inner
      : expand(
          inner.replace(/\\([nrt"\\$])/g, (_, letter) => ESCAPES[letter] ?? ""),
          known,
          at,
        );
  }
  return found;
}

/** Where the quote that the text begins with is closed; -1 for nowhere. */
function closed(text: string): number {
  const [quote] = text;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === "\\" && quote === '"') at++;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function expand(text: string, variables: Variables, line: number): string {
  try {
    return interpolate(text, variables, () => {});
  } catch (error) {
    if (error instanceof InterpolationError) throw new EnvFileError(error.message, line);
    throw error;
  }
}
