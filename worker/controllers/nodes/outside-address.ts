import type { Node } from "../../kinds/core/node.ts";

/** By which those outside of the cluster reach a node; "" where it tells none. */
export function outsideAddress({ status }: Readonly<Node>): string {
  const of = (type: string) => status?.addresses?.find((known) => known.type === type)?.address;
  return of("ExternalIP") ?? of("InternalIP") ?? "";
}
