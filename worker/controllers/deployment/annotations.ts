import type { Deployment } from "../../kinds/apps/deployment.ts";
import type { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { maxTotal, replicasOf } from "./bounds.ts";

const PREFIX = "deployment.kubernetes.io";
export const REVISION = `${PREFIX}/revision`;
const REVISION_HISTORY = `${PREFIX}/revision-history`;
export const DESIRED_REPLICAS = `${PREFIX}/desired-replicas`;
export const MAX_REPLICAS = `${PREFIX}/max-replicas`;

/** Annotations that a ReplicaSet does not take over from its Deployment. */
const OWN = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  "deprecated.deployment.rollback.to",
]);

type Annotations = Record<string, string>;

/** An integer of 64 bits, which a number does not hold exactly; 0 where none was written. */
export const revisionOf = (object: Readonly<Deployment | ReplicaSet>): bigint =>
  parseRevision(object.metadata.annotations?.[REVISION]);

export const maxRevision = (sets: readonly Readonly<ReplicaSet>[]): bigint =>
  sets.map(revisionOf).toSorted((a, b) => (a < b ? 1 : -1))[0] ?? 0n;

const parseRevision = (text = ""): bigint => (/^\d{1,19}$/.test(text) ? BigInt(text) : 0n);

/** What a later proportional scaling needs to know of the sizes a set was last scaled for. */
export const sizeAnnotations = (d: Readonly<Deployment>): Annotations => ({
  [DESIRED_REPLICAS]: String(replicasOf(d)),
  [MAX_REPLICAS]: String(maxTotal(d)),
});

/** The size that a set was last scaled for; undefined when no one wrote it. */
export function annotatedSize(set: Readonly<ReplicaSet>, name: string): number | undefined {
  const value = set.metadata.annotations?.[name];
  return value === undefined ? undefined : Number(value);
}

/** The newest set's annotations: the Deployment's, and its revision with those it had before (after an undo). */
export function newestAnnotations(d: Readonly<Deployment>, annotations: Annotations, revision: bigint): Annotations {
  const result = { ...annotations };
  for (const [name, value] of Object.entries(d.metadata.annotations ?? {})) if (!OWN.has(name)) result[name] = value;
  const old = result[REVISION];
  if (parseRevision(old) >= revision) return result;
  if (old !== undefined) {
    const history = result[REVISION_HISTORY];
    result[REVISION_HISTORY] = history ? `${history},${old}` : old;
  }
  result[REVISION] = String(revision);
  return result;
}
