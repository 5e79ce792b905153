import type {
  CoreV1Event,
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
} from "../../worker/kinds/generated/types.ts";
import { type Effects, timestamp } from "../../worker/lib/effects.ts";
import type { Json } from "../../worker/protocol/link.ts";
import type { Timers } from "../effects.ts";
import { type Outbox, shortOutbox } from "../outbox.ts";
import type { Api } from "../volumes/tokens.ts";
import { SimilarEvents } from "./similar-events.ts";

type EventType = "Normal" | "Warning";
type Known = {
  event: CoreV1Event;
  sent: boolean;
  /** It is in the outbox. */
  kept?: boolean;
};
type Reference = CoreV1Event["involvedObject"];

/** Events kept while there is no uplink; the oldest go first. */
const MOST_QUEUED = 1000;
/** So many are under way at once, which the cluster then takes together. */
const SENT_AT_ONCE = 32;
/** Distinct events remembered to be counted up instead of written again. */
const MOST_KNOWN = 4096;
/** Of a pod so many events of a type are told at once, and again each so many ms: what client-go's recorder allows. */
const BURST = 25;
const REFILL_MS = 300_000;
/** Characters of a message that the API server takes. */
const MOST_MESSAGE = 1024;
const NS_PER_MS = 1_000_000n;
const MOST_NAME = 253;
const RETRY_MS = 10_000;
const ALREADY_EXISTS = 409;
const TOO_MANY_REQUESTS = 429;

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
  readonly #similar = new SimilarEvents();
  readonly #outbox: Outbox;
  #made = 0n;
  #sending = false;
  /** What was sent last did not arrive: what is queued is kept in the outbox. */
  #offline = false;

  constructor(deps: { nodeName: string; api: Api; effects: Effects & Timers; outbox?: Outbox }) {
    this.#nodeName = deps.nodeName;
    this.#api = deps.api;
    this.#effects = deps.effects;
    this.#outbox = deps.outbox ?? shortOutbox();
    for (const event of this.#outbox.events()) {
      const { involvedObject: about, type, reason, message } = event;
      const key = keyOf(about, type as EventType, reason ?? "", message ?? "");
      // One that was counted up may have been written before; what is there already is not written twice.
      this.#known.set(key, { event, sent: false, kept: true });
      this.#queue.add(key);
    }
  }

  /** `container` names the part of the pod that it is about. */
  record(pod: CoreV1Pod, type: EventType, reason: string, message: string, container?: string): void {
    this.#record(referenceTo(pod, container), type, reason, message);
  }

  /** Says more of what was recorded with the message `was`, in the same event. */
  renew(
    pod: CoreV1Pod,
    type: EventType,
    reason: string,
    { was, message }: { was: string; message: string },
    container?: string,
  ): void {
    const about = referenceTo(pod, container);
    const [before, key] = [was, message].map((words) => keyOf(about, type, reason, words)) as [string, string];
    const known = this.#known.get(before);
    if (!known || before === key) return;
    known.event = { ...known.event, message, lastTimestamp: timestamp(this.#effects.now()) };
    this.#known.delete(before);
    this.#queue.delete(before);
    this.#known.set(key, known);
    this.#queue.add(key);
    if (known.kept) this.#keep(known);
    this.flush();
  }

  /** About the node itself; kubelets give its name for its uid. */
  recordNode(type: EventType, reason: string, message: string): void {
    this.#record({ kind: "Node", name: this.#nodeName, uid: this.#nodeName, apiVersion: "v1" }, type, reason, message);
  }

  recordVolume({ metadata }: CoreV1PersistentVolume, type: EventType, reason: string, message: string): void {
    const { name, uid } = metadata ?? {};
    this.#record({ kind: "PersistentVolume", name, uid, apiVersion: "v1" }, type, reason, message);
  }

  recordClaim({ metadata }: CoreV1PersistentVolumeClaim, type: EventType, reason: string, message: string): void {
    const { namespace, name, uid } = metadata ?? {};
    this.#record({ kind: "PersistentVolumeClaim", namespace, name, uid, apiVersion: "v1" }, type, reason, message);
  }

  /** About a Service that this node serves. */
  recordService(
    { metadata }: { metadata?: Pick<Reference, "namespace" | "name" | "uid"> },
    type: EventType,
    reason: string,
    message: string,
  ): void {
    const { namespace, name, uid } = metadata ?? {};
    this.#record({ kind: "Service", namespace, name, uid, apiVersion: "v1" }, type, reason, message);
  }

  #record(about: Reference, type: EventType, reason: string, message: string): void {
    const joined = this.#similar.joins(about, type, reason, message, this.#effects.now());
    const words = `${joined ? "(combined from similar events): " : ""}${message}`.slice(0, MOST_MESSAGE);
    const key = joined
      ? keyOf({ ...about, fieldPath: undefined }, type, reason, "")
      : keyOf(about, type, reason, message);
    const now = timestamp(this.#effects.now());
    const known = this.#known.get(key) ?? { event: this.#make(about, type, reason, words, now), sent: false };
    if (this.#known.delete(key))
      // to the young end
      known.event = { ...known.event, message: words, count: (known.event.count ?? 1) + 1, lastTimestamp: now };
    this.#known.set(key, known);
    if (!this.#allows(`${about.uid} ${type}`)) return; // it is counted all the same
    this.#queue.delete(key); // told in the order in which things happened last
    this.#queue.add(key);
    for (const old of trim(this.#queue, MOST_QUEUED)) this.#drop(old);
    trim(this.#known, MOST_KNOWN);
    if (this.#offline) this.#keep(known);
    this.flush();
  }

  #keep(known: Known): void {
    known.kept = true;
    this.#outbox.put(known.event);
  }

  #drop(key: string): void {
    const known = this.#known.get(key);
    if (known?.kept) this.#outbox.remove(known.event);
    this.#known.delete(key);
    this.#outbox.dropped++;
  }

  /** The cluster hears again, and how much it will not hear of. */
  #arrived(): void {
    this.#offline = false;
    const { dropped } = this.#outbox;
    if (!dropped) return;
    this.#outbox.dropped = 0;
    this.recordNode(
      "Warning",
      "EventsDropped",
      `${dropped} events of this node were dropped while the cluster could not be reached: it keeps the newest ${MOST_QUEUED}`,
    );
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
    if (sent.every(({ status }) => status === "fulfilled")) {
      if (keys.length) this.#arrived();
      return true;
    }
    this.#offline = true;
    for (const key of this.#queue) {
      const known = this.#known.get(key);
      if (known && !known.kept) this.#keep(known);
    }
    return false;
  }

  async #sendQueued(key: string): Promise<void> {
    const known = this.#known.get(key);
    const event = known?.event;
    if (known) await this.#sendOne(known);
    if (known?.event !== event) return;
    this.#queue.delete(key);
    if (!known?.kept) return;
    this.#outbox.remove(known.event);
    known.kept = false;
  }

  async #sendOne(known: Known): Promise<void> {
    const { event } = known;
    const path = `/api/v1/namespaces/${event.metadata.namespace}/events`;
    if (known.sent && (await this.#countUp(path, event))) return;
    const code = await this.#call("POST", path, event as unknown as Json);
    known.sent = code < 300 || code === ALREADY_EXISTS;
    // An agent before this one wrote it, and may have lived to count it up.
    if (code === ALREADY_EXISTS) await this.#countUp(path, event);
  }

  /** False when it is not there any more. */
  async #countUp(path: string, { metadata, count, message, lastTimestamp }: CoreV1Event): Promise<boolean> {
    const { name } = metadata;
    const patch = { count: count ?? 1, message: message ?? "", lastTimestamp: lastTimestamp ?? null };
    return (await this.#call("PATCH", `${path}/${name}`, patch, "application/strategic-merge-patch+json")) !== 404;
  }

  /** Rejects where the cluster could not take it now. */
  async #call(...request: Parameters<Api>): Promise<number> {
    const { code } = await this.#api(...request);
    if (code === TOO_MANY_REQUESTS || code >= 500) throw new Error(`the cluster answered ${code}`);
    return code;
  }

  #make(about: Reference, type: EventType, reason: string, message: string, now: string): CoreV1Event {
    const { name, namespace = "default" } = about;
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: this.#nameFor(name ?? ""), namespace },
      involvedObject: about,
      reason,
      message,
      source: { component: "kubelet", host: this.#nodeName },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      reportingComponent: "kubelet",
      reportingInstance: this.#nodeName,
    };
  }

  /** By the time in ns, as client-go has it: events of one second are listed in the order in which they happened. */
  #nameFor(about: string): string {
    this.#made = (this.#made + 1n) % NS_PER_MS;
    const time = (BigInt(this.#effects.now()) * NS_PER_MS + this.#made).toString(16);
    return `${about.slice(0, MOST_NAME - time.length - 1)}.${time}`;
  }

  #allows(speaker: string): boolean {
    const now = this.#effects.now();
    const before = this.#allowance.get(speaker) ?? { left: BURST, at: now };
    const left = Math.min(BURST, before.left + (now - before.at) / REFILL_MS);
    this.#allowance.delete(speaker);
    this.#allowance.set(speaker, { left: left < 1 ? left : left - 1, at: now });
    trim(this.#allowance, MOST_KNOWN);
    return left >= 1;
  }
}

const keyOf = ({ uid, fieldPath }: Reference, type: EventType, reason: string, message: string): string =>
  [uid, fieldPath, type, reason, message.slice(0, MOST_MESSAGE)].join("\n");

/** Takes the oldest away, and returns their keys. */
function trim(collection: Map<string, unknown> | Set<string>, most: number): string[] {
  const old = [...collection.keys().take(Math.max(collection.size - most, 0))];
  for (const key of old) collection.delete(key);
  return old;
}

function referenceTo(pod: CoreV1Pod, container: string | undefined): Reference {
  const { name, namespace = "default", uid, resourceVersion } = pod.metadata;
  const fieldPath = container && fieldPathOf(pod, container);
  return { kind: "Pod", namespace, name, uid, apiVersion: "v1", resourceVersion, ...(fieldPath && { fieldPath }) };
}

function fieldPathOf(pod: CoreV1Pod, container: string): string | undefined {
  const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
  const list = lists.find((name) => pod.spec[name]?.some((c) => c.name === container));
  return list && `spec.${list}{${container}}`;
}
