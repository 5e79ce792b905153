import type { Service } from "../../kinds/core/service.ts";
import type { View } from "../controller.ts";
import { others, type Plan, portsOf, serving } from "./balanced.ts";

/** What nodes keep for themselves: SSH, without which a machine could not be mended, the control plane's and the node's API. */
const RESERVED: ReadonlySet<string> = new Set(["TCP/22", "TCP/6443", "TCP/10250"]);

/** All nodes' own addresses; a port is the older Service's, on all of them. */
export function fromNodes(view: View, key: string, service: Readonly<Service>): Plan {
  const problem = takenPort(view, key, portsOf(service), service.metadata.creationTimestamp ?? "");
  if (problem) return { addresses: [], problem };
  return { addresses: [...new Set(serving(view, service).map(([, address]) => address))].toSorted() };
}

function takenPort(view: View, key: string, ports: readonly string[], created: string): string | undefined {
  const reserved = ports.find((port) => RESERVED.has(port));
  if (reserved) return `port ${reserved} is the nodes' own`;
  for (const [other, held] of others(view, key)) {
    if (held.since > `${created} ${key}`) continue;
    const port = held.ports.find((one) => ports.includes(one));
    if (port) return `port ${port} of the nodes is in use by service "${other}"`;
  }
  return undefined;
}
