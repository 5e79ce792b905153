import { formatQuantity, isWhole, parseQuantity } from "../../lib/quantity.ts";

/** Bytes come whole. */
export function* fractionWarnings(
  amounts: Readonly<Record<string, string>> | undefined,
  field: string,
  names: readonly string[] = ["memory", "ephemeral-storage"],
): Iterable<string> {
  for (const name of names) {
    const amount = amounts?.[name];
    if (amount !== undefined && !isWhole(parseQuantity(amount)))
      yield `${field}[${name}]: fractional byte value "${formatQuantity(parseQuantity(amount))}" is invalid, must be an integer`;
  }
}
