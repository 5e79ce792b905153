/** On which nodes pods mention a ConfigMap, Secret or claim: a cache, made anew from a namespace's pods whenever it is not there. */
import { podClaims } from "../kinds/core/pod-claims.ts";
import { podReferences } from "../kinds/core/pod-references.ts";
import type { CoreV1Pod } from "../kinds/generated/types.ts";
import type { KubeObject } from "../lib/object.ts";
import { nodeOf, type Objects, type Write } from "./downlink.ts";

/** Namespaces that are remembered at once. */
const MAX_NAMESPACES = 200;

/** `configmaps/NAME`, `secrets/NAME` and `persistentvolumeclaims/NAME` of what a pod mentions. */
export function mentionsOf(pod: KubeObject): string[] {
  const { configmaps, secrets } = podReferences(pod as CoreV1Pod);
  return [
    ...[...configmaps].map((name) => `configmaps/${name}`),
    ...[...secrets].map((name) => `secrets/${name}`),
    ...podClaims(pod as CoreV1Pod).map(({ claim }) => `persistentvolumeclaims/${claim}`),
  ];
}

export class Mentions {
  readonly #objects: Objects;
  /** By namespace, then by what is mentioned. Nodes stay in it when their pods go: they are told too much, not too little. */
  readonly #nodes = new Map<string, Map<string, Set<string>>>();

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /** The nodes that must hear of a ConfigMap, Secret or claim. */
  nodes({ resource, namespace, name }: Pick<Write, "resource" | "namespace" | "name">): ReadonlySet<string> {
    let known = this.#nodes.get(namespace);
    if (!known) {
      if (this.#nodes.size >= MAX_NAMESPACES) this.#nodes.clear();
      known = new Map();
      this.#nodes.set(namespace, known);
      for (const page of this.#objects.podsIn(namespace)) for (const pod of page) add(known, pod);
    }
    return known.get(`${resource}/${name}`) ?? new Set();
  }

  /** Pods were written of which this was not told. */
  forget(): void {
    this.#nodes.clear();
  }

  /** A pod was written. */
  learn({ namespace, object }: Write): void {
    const known = this.#nodes.get(namespace);
    if (known && object) add(known, object);
  }
}

function add(known: Map<string, Set<string>>, pod: KubeObject): void {
  const node = nodeOf(pod);
  if (!node) return;
  for (const what of mentionsOf(pod)) known.set(what, (known.get(what) ?? new Set()).add(node));
}
