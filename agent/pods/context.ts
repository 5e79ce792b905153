import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { AgentClock } from "../clock.ts";
import type { Desired } from "../desired.ts";
import type { Images } from "../images/images.ts";
import type { Runtime } from "../runtime.ts";
import type { EventRecorder } from "./events.ts";
import type { FieldContext } from "./fields.ts";
import type { Host } from "./host.ts";
import { addressesOf, type PodMemory } from "./memory.ts";
import type { PodNetwork } from "./network.ts";
import type { Observed } from "./observe.ts";

/** What all pods of a node share. */
export type NodeContext = {
  nodeName: string;
  /** The node's addresses, one a family. */
  hostIPs(): string[];
  clusterDomain: string;
  runtime: Runtime;
  host: Host;
  network: PodNetwork;
  images: Images;
  events: EventRecorder;
  effects: AgentClock;
  desired(): Desired;
  log(message: string): void;
};

/** One pod while it is worked on. */
export type PodState = {
  uid: string;
  pod: CoreV1Pod;
  memory: PodMemory;
  /** Marked for deletion, or not wanted any more. */
  deleted: boolean;
  /** Still known to the API server, so that its end is to be confirmed there. */
  known: boolean;
  volumesReady: boolean;
  /** Containers just made or removed, as steps saw them: the runtime need not be asked again. */
  fresh: { made: Observed[]; removed: string[] };
  /** A step left something behind that only the runtime knows. */
  lookFully?: boolean;
  /** Volumes or the sandbox could not be made: not tried again before (ms). */
  retryAt?: number;
  /** Resolves whenever a container of the pod has ended. */
  exited(containerId: string): Promise<void>;
  /** Runs out when the pod is to be ended; long waits on its behalf stop then. */
  ending: AbortSignal;
};

export function fieldsOf(node: NodeContext, { pod, memory }: PodState): FieldContext {
  const hostIPs = node.hostIPs();
  return {
    pod,
    hostIPs,
    podIPs: pod.spec.hostNetwork ? hostIPs : addressesOf(memory.sandbox),
    nodeName: node.nodeName,
    allocatable: node.host.allocatable(),
  };
}
