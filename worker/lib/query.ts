/**
 * Whether a parameter of a query is on: there at all, and neither `0` nor `false` in any case (Python says `False`).
 * As apimachinery reads it.
 */
export const isTrue = (value: string | null | undefined): boolean =>
  value !== null && value !== undefined && value !== "0" && value.toLowerCase() !== "false";
