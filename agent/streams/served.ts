/** What the servers of streams are given. */

import type { WebSocket } from "ws";
import type { Effects } from "../../worker/lib/effects.ts";
import { isTrue } from "../../worker/lib/query.ts";
import type { PodStreamRequest, ProxyRequest } from "../../worker/protocol/link.ts";
import type { Timers } from "../effects.ts";
import type { Counts } from "../ingress/counts.ts";
import type { Nerdctl } from "../nerdctl.ts";
import type { FoundContainer } from "../pods/found.ts";
import type { PodManager } from "../pods/manager.ts";
import type { VolumeData } from "../volumes/persistent/provisioned.ts";
import type { NodeFacts } from "./kubelet.ts";

export type StreamDeps = {
  nerdctl: Nerdctl;
  pods: Pick<PodManager, "find" | "sandboxOf">;
  node: NodeFacts;
  /** The data of the volumes on this node's disk, where it may have such. */
  volumes?(): VolumeData | undefined;
  /** Of requests by Ingresses that come by the edge. */
  counts?: Pick<Counts, "begin">;
  effects: Effects & Timers;
  log(message: string): void;
};

/** One open stream, about a pod. */
export type ServedPod = { socket: WebSocket; request: PodStreamRequest; deps: StreamDeps };
/** One open stream, about a program's HTTP port. */
export type ServedProxy = { socket: WebSocket; request: ProxyRequest; deps: StreamDeps };
/** One open stream, and the container that it is about. */
export type Served = ServedPod & { container: FoundContainer };

/** Reads the flags of a stream's query, as Kubernetes writes them. */
export const flags = (query: PodStreamRequest["query"]): ((name: string) => boolean) => {
  const on = new Set(query.flatMap(([name, value]) => (isTrue(value) ? [name] : [])));
  return (name) => on.has(name);
};
