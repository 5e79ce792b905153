import type { Service } from "../../kinds/core/service.ts";
import type { View } from "../controller.ts";
import { addressesOf, others, type Plan, portsOf, serving } from "./balanced.ts";

/** What nodes keep for themselves: SSH, without which a machine could not be mended, the control plane's and the node's API. */
const RESERVED: ReadonlySet<string> = new Set(["TCP/22", "TCP/6443", "TCP/10250"]);

/** All nodes' own addresses; a port is one Service's on all of them: whose it has been, else the older one's. */
export function fromNodes(view: View, key: string, service: Readonly<Service>): Plan {
  const problem = takenPort(view, key, service);
  if (problem) return { addresses: [], problem };
  return { addresses: [...new Set(serving(view, service).map(([, address]) => address))].toSorted() };
}

/** Who has addresses goes first; times have but seconds. */
const rank = (addresses: readonly string[], since: string) => `${addresses.length > 0 ? 0 : 1} ${since}`;

function takenPort(view: View, key: string, service: Readonly<Service>): string | undefined {
  const ports = portsOf(service);
  const own = rank(addressesOf(service), `${service.metadata.creationTimestamp} ${key}`);
  const reserved = ports.find((port) => RESERVED.has(port));
  if (reserved) return `port ${reserved} is the nodes' own`;
  for (const [other, held] of others(view, key)) {
    if (rank(held.addresses, held.since) > own) continue;
    const port = held.ports.find((one) => ports.includes(one));
    if (port) return `port ${port} of the nodes is in use by service "${other}"`;
  }
  return undefined;
}
