/** Services whose workloads have no replicas while nobody asks for them. */
import { parseDuration } from "../../lib/cel/times.ts";
import type { CoreV1Service } from "../generated/types.ts";

/** Of a Service: after how long without a request what it leads to is scaled to zero, as Go writes durations: `5m`. */
export const IDLE_ANNOTATION = "skerry.dev/scale-to-zero";
/** Of what was scaled to zero: how many replicas it had. */
export const SCALED_FROM_ANNOTATION = "skerry.dev/scaled-from";

/** A shorter time would be over before a request's answer has come. */
export const LEAST_IDLE_MS = 1_000;
const NANOS_A_MS = 1_000_000n;

type Service = Readonly<Pick<CoreV1Service, "metadata" | "spec">>;

/** The time in ms; `"invalid"` where it is none; undefined where the Service does not say one. */
export function idleTimeOf({ metadata }: Service): number | "invalid" | undefined {
  const said = metadata?.annotations?.[IDLE_ANNOTATION];
  if (said === undefined) return undefined;
  const ms = Number((parseDuration(said)?.nanos ?? 0n) / NANOS_A_MS);
  return ms >= LEAST_IDLE_MS ? ms : "invalid";
}

/** Whether requests for it wait where it has no endpoints, until it has. */
export const isWoken = (service: Service): boolean => typeof idleTimeOf(service) === "number";
