import type { PodInfo } from "./pod.ts";
import type { NodeInfo } from "./snapshot.ts";

/** Pods that wait for others to leave a node: their room there is not for pods of less priority. */
export class Nominations {
  readonly #byUid = new Map<string, { info: PodInfo; node: string }>();

  set(info: PodInfo, node: string): void {
    this.#byUid.set(info.uid, { info, node });
  }

  delete(uid: string): void {
    this.#byUid.delete(uid);
  }

  /** Ends those of pods of less priority for this node, where they may not fit any more; returns them. */
  outrank(priority: number, node: string): PodInfo[] {
    const outranked = [...this.#byUid.values()].filter((one) => one.node === node && one.info.priority < priority);
    for (const { info } of outranked) this.#byUid.delete(info.uid);
    return outranked.map(({ info }) => info);
  }

  /** The node as `pod` must see it. */
  seenBy(pod: PodInfo, node: NodeInfo): NodeInfo {
    if (this.#byUid.size === 0) return node;
    let seen = node;
    for (const { info, node: name } of this.#byUid.values()) {
      if (name !== node.name || info.uid === pod.uid || info.priority < pod.priority) continue;
      if (seen === node) seen = node.clone();
      seen.add(info);
    }
    return seen;
  }
}
