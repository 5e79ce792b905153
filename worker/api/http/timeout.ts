import { badRequest } from "../../lib/status.ts";

const UNITS = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
const TERM = /^(\d*)(\.\d*)?([^\d.]*)/;

/** Why Go reads no duration in a text; undefined when it does. https://pkg.go.dev/time#ParseDuration */
export function durationProblem(text: string): string | undefined {
  const quoted = JSON.stringify(text);
  let rest = text.replace(/^[-+]/, "");
  if (rest === "0") return undefined;
  if (rest === "") return `time: invalid duration ${quoted}`;
  while (rest !== "") {
    const [term = "", whole = "", fraction = "", unit = ""] = TERM.exec(rest) ?? [];
    if (whole === "" && !/\d/.test(fraction)) return `time: invalid duration ${quoted}`;
    if (unit === "") return `time: missing unit in duration ${quoted}`;
    if (!UNITS.includes(unit)) return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
    rest = rest.slice(term.length);
  }
  return undefined;
}

/** Throws 400 for a `timeout` that is none; requests are answered before one would end. */
export function checkTimeout(query: URLSearchParams): void {
  const timeout = query.get("timeout");
  const problem = timeout ? durationProblem(timeout) : undefined;
  if (problem) throw badRequest(`invalid timeout specified in the request URL - ${problem}`);
}
