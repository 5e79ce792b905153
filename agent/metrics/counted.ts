/** What the kernel has counted of a node and its pods. */
import { NODE_SERIES } from "../../worker/lib/facts/metric-series.ts";
import { type Interface, interfacesOf } from "../kubelet/network.ts";
import type { NodeFigures } from "../kubelet/sampler.ts";
import type { Counted } from "./samples.ts";

/** Bridges and tunnels carry what their ends count, too. */
const IS_COUNTED_ELSEWHERE = /^(br-|cni|wg|skerry|dummy|ifb|tun|tap)/;

function bytesOf(interfaces: readonly Interface[]): Pick<Counted, "received" | "sent"> {
  const sum = (of: "receive" | "transmit") => interfaces.reduce((all, each) => all + each[of].bytes, 0);
  return { received: sum("receive"), sent: sum("transmit") };
}

/** By pods' uids, and the node's own. Pods on the host's network have none of their own. */
export function countedIn({ own, pods }: NodeFigures): Map<string, Counted> {
  const ownInterfaces = interfacesOf("self").filter(({ name }) => !IS_COUNTED_ELSEWHERE.test(name));
  const counted = new Map<string, Counted>([
    [NODE_SERIES, { cpu: own.cpu, memory: own.memory.workingSet, ...bytesOf(ownInterfaces) }],
  ]);
  for (const { on, own: pod, containers } of pods) {
    const pid = on.pod.spec.hostNetwork ? undefined : containers[0]?.pid;
    const network = pid === undefined ? [] : interfacesOf(pid);
    counted.set(on.memory.uid, {
      cpu: pod.cpu,
      memory: pod.memory.workingSet,
      since: on.memory.startedAt,
      ...(network.length > 0 && bytesOf(network)),
    });
  }
  return counted;
}
