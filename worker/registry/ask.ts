import type { Facts } from "./facts.ts";
import type { Garbage } from "./garbage.ts";

type Methods = Facts & Garbage;

/** What is asked of the Registry object: a method of its facts, or of what collects garbage, by name, so that the object needs to know none. */
export type Ask = <Name extends keyof Methods>(
  name: Name,
  ...given: Parameters<Methods[Name]>
) => Promise<ReturnType<Methods[Name]>>;

/** Over RPC, which carries plain values alone. */
export const askOver = (object: { ask(name: string, given: unknown[]): Promise<unknown> }): Ask =>
  ((name: string, ...given: unknown[]) => object.ask(name, given)) as Ask;
