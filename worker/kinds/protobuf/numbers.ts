import { protobufNumbers } from "../generated/protobuf.ts";

/**
 * JSON names by protobuf number: the first is that of field 1. A list stands for a message whose fields JSON shows as
 * the outer object's own; null for a number that is not in use.
 */
export type Numbers = (string | Numbers | null)[];

const parsed = new Map<string, Numbers>();

/** Of a definition such as `io.k8s.api.core.v1.Pod`; undefined when it has no protobuf form. */
export function numbersOf(definition: string): Numbers | undefined {
  const known = parsed.get(definition);
  if (known) return known;
  const text = protobufNumbers[definition];
  if (text === undefined) return undefined;
  const numbers = JSON.parse(text) as Numbers;
  parsed.set(definition, numbers);
  return numbers;
}
