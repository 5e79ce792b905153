import type { CollectionClock } from "./clock.ts";
import type { Facts } from "./facts.ts";
import type { Garbage } from "./garbage.ts";
import type { Quotas } from "./quotas.ts";

type Methods = Facts & Garbage & Quotas & Pick<CollectionClock, "byClock" | "setByClock">;

/** What is asked of the Registry object: a method of its facts, its quotas, or of what collects garbage and when, by name, so that the object needs to know none. */
export type Ask = <Name extends keyof Methods>(
  name: Name,
  ...given: Parameters<Methods[Name]>
) => Promise<Awaited<ReturnType<Methods[Name]>>>;

/** Over RPC, which carries plain values alone. */
export const askOver = (object: RegistryObject, cluster: string): Ask =>
  ((name: string, ...given: unknown[]) => object.ask(cluster, name, given)) as Ask;

/** `cluster` is the name of its cluster, which an object does not know. */
type RegistryObject = { ask(cluster: string, name: string, given: unknown[]): Promise<unknown> };
