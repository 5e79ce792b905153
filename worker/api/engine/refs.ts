import { read } from "../../kinds/paths.ts";
import { canonicalIp } from "../../kinds/validation/ip.ts";
import type { KubeObject } from "../../lib/object.ts";

/**
 * Index terms of objects, in one place: what `byRef` can find.
 * `owner=UID`, `node=NAME`, `clusterIP=…`, `nodePort=…` and `expires=BUCKET`.
 */
type Term = (object: KubeObject) => Iterable<string>;

export const ownerRef = (uid: string): string => `owner=${uid}`;
export const nodeRef = (node: string): string => `node=${node}`;
/** The same however the address is written. */
export const clusterIPRef = (address: string): string => `clusterIP=${canonicalIp(address) ?? address}`;
export const nodePortRef = (port: number): string => `nodePort=${port}`;
export const expiryRef = (bucket: number): string => `expires=${bucket}`;

/** Kinds that controllers adopt: those of them without an owner are found by `owner=`. */
export const ADOPTABLE: ReadonlySet<string> = new Set([
  "pods",
  "replicasets.apps",
  "controllerrevisions.apps",
  "jobs.batch",
]);

const terms: Readonly<Record<string, Term>> = {
  *pods(object) {
    yield nodeRef(text(object, "spec.nodeName"));
  },
  *services(object) {
    const addresses = read(object, "spec.clusterIPs");
    for (const address of Array.isArray(addresses) ? addresses : [])
      if (address !== "None") yield clusterIPRef(String(address));
    const ports = read(object, "spec.ports");
    for (const port of Array.isArray(ports) ? ports : []) if (port.nodePort) yield nodePortRef(port.nodePort);
    const check = read(object, "spec.healthCheckNodePort");
    if (typeof check === "number" && check > 0) yield nodePortRef(check);
  },
  *events(object) {
    yield expiryRef(expiryBucket(object));
  },
};

/** `resource` as storage names it, and the object in its stored form. */
export function refsOf(resource: string, object: KubeObject): string[] {
  const refs = new Set<string>();
  const owners = object.metadata?.ownerReferences ?? [];
  for (const owner of owners) refs.add(ownerRef(owner.uid));
  if (owners.length === 0 && ADOPTABLE.has(resource)) refs.add(ownerRef(""));
  for (const ref of terms[resource]?.(object) ?? []) refs.add(ref);
  return [...refs];
}

const text = (object: KubeObject, path: string): string => {
  const value = read(object, path);
  return typeof value === "string" ? value : "";
};

/** An event is listed under the time so long after it last happened. */
export const EXPIRES_AFTER_MS = 3_600_000;
/** Events expire together in steps of this length. */
export const EXPIRY_STEP_MS = 600_000;

function expiryBucket(event: KubeObject): number {
  const times = ["lastTimestamp", "series.lastObservedTime", "eventTime", "metadata.creationTimestamp"];
  const latest = Math.max(0, ...times.map((path) => Date.parse(text(event, path)) || 0));
  return Math.ceil((latest + EXPIRES_AFTER_MS) / EXPIRY_STEP_MS);
}
