/**
 * Whether a parameter of a query is on: there at all, and neither `0` nor `false` in any case (Python says `False`).
 * As apimachinery reads it.
 */
export const isTrue = (value: string | null | undefined): boolean =>
  value !== null && value !== undefined && value !== "0" && value.toLowerCase() !== "false";

/** The ports to forward: `ports` may be there several times, and name several each. NaN for what is no number. */
export const portsOf = (query: URLSearchParams): number[] =>
  query
    .getAll("ports")
    .flatMap((text) => text.split(",").map((port) => (/^\d+$/.test(port) ? Number(port) : Number.NaN)));
