/**
 * The certificates that nodes need to serve Ingresses on their networks: Secrets of type `kubernetes.io/tls` that Ingresses
 * and gateways of ours name, and no others. Every node may serve each of them, so all hear of them.
 */

import { SOURCES } from "../kinds/gateway/sources.ts";
import type { CoreV1Secret, NetworkingV1Ingress, NetworkingV1IngressClass } from "../kinds/generated/types.ts";
import { secretKeysOf, servedIngresses } from "../kinds/ingress/routes.ts";
import type { KubeObject } from "../lib/object.ts";
import { INGRESS_CLASSES, INGRESSES, type NodeChange, type ObjectJson } from "../protocol/link.ts";
import type { Objects, Write } from "./downlink.ts";

const SECRETS = "secrets";
const TLS = "kubernetes.io/tls";

const bringsNames = ({ resource }: Write): boolean =>
  resource === INGRESSES || resource === INGRESS_CLASSES || SOURCES.has(resource);

export class IngressSecrets {
  readonly #objects: Objects;
  readonly #others: () => readonly string[];
  /** `namespace/name` of those that are named; a cache. */
  #named: ReadonlySet<string> | undefined;

  /** `others` are named by what is no Ingress. */
  constructor(objects: Objects, others: () => readonly string[] = () => []) {
    this.#objects = objects;
    this.#others = others;
  }

  /** Whether nodes hear of a Secret, or that it is gone. */
  has({ resource, namespace, name }: Pick<Write, "resource" | "namespace" | "name">): boolean {
    if (resource !== SECRETS || !this.#names().has(`${namespace}/${name}`)) return false;
    const object = this.#objects.get(SECRETS, namespace, name);
    return object === undefined || isCertificate(object);
  }

  /** All of them. */
  snapshot(): NodeChange[] {
    return [...this.#names()].flatMap((key) => this.#change(key));
  }

  /** Those that writes made to be named. */
  changed(writes: readonly Write[]): NodeChange[] {
    if (!writes.some(bringsNames)) return [];
    const before = this.#named ?? new Set();
    this.#named = undefined;
    return [...this.#names()].flatMap((key) => (before.has(key) ? [] : this.#change(key)));
  }

  /** Those that a node may lack that missed these writes. */
  missed(writes: readonly Write[]): NodeChange[] {
    return writes.some(bringsNames) ? this.snapshot() : [];
  }

  /** Ingresses were written of which this was not told. */
  forget(): void {
    this.#named = undefined;
  }

  #names(): ReadonlySet<string> {
    if (this.#named) return this.#named;
    const ingresses = servedIngresses(
      this.#objects.list(INGRESSES) as readonly NetworkingV1Ingress[],
      this.#objects.list(INGRESS_CLASSES) as readonly NetworkingV1IngressClass[],
      "lan",
    );
    this.#named = new Set([...secretKeysOf(ingresses), ...this.#others()]);
    return this.#named;
  }

  #change(key: string): NodeChange[] {
    const slash = key.indexOf("/");
    const [namespace, name] = [key.slice(0, slash), key.slice(slash + 1)];
    const object = this.#objects.get(SECRETS, namespace, name);
    return object && isCertificate(object)
      ? [{ resource: SECRETS, namespace, name, object: object as ObjectJson }]
      : [];
  }
}

const isCertificate = (object: KubeObject): boolean => (object as CoreV1Secret).type === TLS;
