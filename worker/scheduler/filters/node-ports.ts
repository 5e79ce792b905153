import { type Filter, refuse } from "../framework.ts";
import { portsClash } from "../pod.ts";

/** Host ports that are taken. */
export const nodePorts: Filter = {
  name: "NodePorts",
  judge({ hostPorts }) {
    if (hostPorts.length === 0) return undefined;
    return (node) => {
      for (const other of node.withHostPorts.values())
        if (other.traits.hostPorts.some((taken) => hostPorts.some((wanted) => portsClash(wanted, taken))))
          return refuse("node(s) didn't have free ports for the requested pod ports");
      return true;
    };
  },
};
