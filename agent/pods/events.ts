import type { CoreV1Event, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { type Effects, timestamp } from "../../worker/lib/effects.ts";
import type { Json } from "../../worker/protocol/link.ts";
import type { Timers } from "../effects.ts";
import type { Api } from "../volumes/tokens.ts";

type EventType = "Normal" | "Warning";
type Known = { event: CoreV1Event; sent: boolean };

/** Events kept while there is no uplink; the oldest go first. */
const MOST_QUEUED = 1000;
/** So many are under way at once, which the cluster then takes together. */
const SENT_AT_ONCE = 32;
/** Distinct events remembered to be counted up instead of written again. */
const MOST_KNOWN = 4096;
/** A pod may speak so often at once, and again each so many ms: what client-go's recorder allows. */
const BURST = 25;
const REFILL_MS = 300_000;
const RETRY_MS = 10_000;

/**
 * Tells users what happens to their pods. The same words again raise a count.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
 */
export class EventRecorder {
  readonly #nodeName: string;
  readonly #api: Api;
  readonly #effects: Effects & Timers;
  readonly #known = new Map<string, Known>();
  readonly #queue = new Set<string>();
  readonly #allowance = new Map<string, { left: number; at: number }>();
  #sending = false;

  constructor(deps: { nodeName: string; api: Api; effects: Effects & Timers }) {
    this.#nodeName = deps.nodeName;
    this.#api = deps.api;
    this.#effects = deps.effects;
  }

  /** `container` names the part of the pod that it is about. */
  record(pod: CoreV1Pod, type: EventType, reason: string, message: string, container?: string): void {
    if (!this.#allows(pod.metadata.uid ?? "")) return;
    const path = container && fieldPathOf(pod, container);
    const key = [pod.metadata.uid, path, type, reason, message].join("\n");
    const now = timestamp(this.#effects.now());
    const known = this.#known.get(key);
    if (known) {
      known.event = { ...known.event, count: (known.event.count ?? 1) + 1, lastTimestamp: now };
      this.#known.delete(key); // to the young end
    }
    this.#known.set(key, known ?? { event: this.#make(pod, type, reason, message, path, now), sent: false });
    this.#queue.add(key);
    trim(this.#known, MOST_KNOWN);
    trim(this.#queue, MOST_QUEUED);
    this.flush();
  }

  /** Sends what is queued; also to be called when the uplink is back. */
  flush(): void {
    if (this.#sending) return;
    this.#sending = true;
    this.#send().then((sent) => {
      this.#sending = false;
      if (!sent) this.#effects.after(RETRY_MS, () => this.flush());
      else if (this.#queue.size) this.flush();
    });
  }

  /** False when there is no uplink. */
  async #send(): Promise<boolean> {
    const keys = [...this.#queue.keys().take(SENT_AT_ONCE)];
    const sent = await Promise.allSettled(keys.map((key) => this.#sendQueued(key)));
    return sent.every(({ status }) => status === "fulfilled");
  }

  async #sendQueued(key: string): Promise<void> {
    const known = this.#known.get(key);
    const event = known?.event;
    if (known) await this.#sendOne(known);
    if (known?.event === event) this.#queue.delete(key);
  }

  async #sendOne(known: Known): Promise<void> {
    const { event } = known;
    const path = `/api/v1/namespaces/${event.metadata.namespace}/events`;
    if (known.sent) {
      const { count, lastTimestamp } = event;
      const patch = { count: count ?? 1, lastTimestamp: lastTimestamp ?? null };
      const { code } = await this.#api(
        "PATCH",
        `${path}/${event.metadata.name}`,
        patch,
        "application/strategic-merge-patch+json",
      );
      if (code !== 404) return;
    }
    const { code } = await this.#api("POST", path, event as unknown as Json);
    known.sent = code < 300 || code === 409;
  }

  #make(
    pod: CoreV1Pod,
    type: EventType,
    reason: string,
    message: string,
    fieldPath: string | undefined,
    now: string,
  ): CoreV1Event {
    const { name, namespace = "default", uid, resourceVersion } = pod.metadata;
    const reference = { kind: "Pod", namespace, name, uid, apiVersion: "v1", resourceVersion };
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name}.${this.#effects.uid().replaceAll("-", "").slice(0, 16)}`, namespace },
      involvedObject: fieldPath ? { ...reference, fieldPath } : reference,
      reason,
      message: message.slice(0, 1024),
      source: { component: "kubelet", host: this.#nodeName },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      reportingComponent: "kubelet",
      reportingInstance: this.#nodeName,
    };
  }

  #allows(uid: string): boolean {
    const now = this.#effects.now();
    const before = this.#allowance.get(uid) ?? { left: BURST, at: now };
    const left = Math.min(BURST, before.left + (now - before.at) / REFILL_MS);
    this.#allowance.delete(uid);
    this.#allowance.set(uid, { left: left < 1 ? left : left - 1, at: now });
    trim(this.#allowance, MOST_KNOWN);
    return left >= 1;
  }
}

function trim(collection: Map<string, unknown> | Set<string>, most: number): void {
  for (const key of collection.keys()) {
    if (collection.size <= most) return;
    collection.delete(key);
  }
}

function fieldPathOf(pod: CoreV1Pod, container: string): string | undefined {
  const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
  const list = lists.find((name) => pod.spec[name]?.some((c) => c.name === container));
  return list && `spec.${list}{${container}}`;
}
