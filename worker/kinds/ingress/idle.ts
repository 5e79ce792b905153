/** Services whose workloads have no replicas while nobody asks for them. */
import { parseDuration } from "../../lib/cel/times.ts";

/** Of a Service: after how long without a request what it leads to is scaled to zero, as Go writes durations: `5m`. */
export const IDLE_ANNOTATION = "skerry.dev/scale-to-zero";
/** Of what was scaled to zero: how many replicas it had. */
export const SCALED_FROM_ANNOTATION = "skerry.dev/scaled-from";

/** A shorter time would be over before a request's answer has come. */
export const LEAST_IDLE_MS = 1_000;
const NANOS_A_MS = 1_000_000n;

type Service = { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };

/** Who has asked for a Service by its own address: a client's address, and which of the Service's ports. */
export type Waker = { protocol: "TCP" | "UDP"; port: number; address: string };

const ADDRESS = /^[\d.]{7,15}$/;

/** Whether what a node said is that, and can be told to users. */
export function isWaker(said: unknown): said is Waker {
  const { protocol, port, address } = (said ?? {}) as Partial<Waker>;
  return (protocol === "TCP" || protocol === "UDP") && Number.isInteger(port) && ADDRESS.test(String(address));
}

/** The time in ms; `"invalid"` where it is none; undefined where the Service does not say one. */
export function idleTimeOf({ metadata }: Service): number | "invalid" | undefined {
  const said = metadata?.annotations?.[IDLE_ANNOTATION];
  if (said === undefined) return undefined;
  const ms = Number((parseDuration(said)?.nanos ?? 0n) / NANOS_A_MS);
  return ms >= LEAST_IDLE_MS ? ms : "invalid";
}

/** Whether requests for it wait where it has no endpoints, until it has. */
export const isWoken = (service: Service): boolean => typeof idleTimeOf(service) === "number";
