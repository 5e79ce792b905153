import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Json } from "../../worker/protocol/link.ts";
import type { Api } from "../volumes/tokens.ts";
import { Annotation, mirrored } from "./annotations.ts";

export const fullName = ({ metadata: { namespace = "default", name = "" } }: CoreV1Pod) => `${namespace}/${name}`;

const NOT_FOUND = 404;
const CONFLICT = 409;

export type MirrorParts = {
  node: string;
  api: Api;
  /** Of the node's object, once the cluster has it. */
  nodeUid(): string | undefined;
  log(message: string): void;
};

/** Keeps, for each static pod, a pod in the API that stands for it, so that users see it; and no other. */
export class Mirrors {
  readonly #parts: MirrorParts;
  /** Asked for, and not heard of yet. */
  readonly #busy = new Set<string>();

  constructor(parts: MirrorParts) {
    this.#parts = parts;
  }

  /** `told` are the node's pods as the API has them. `ends`: a static pod of this name is still being ended. */
  sync(pods: Iterable<CoreV1Pod>, told: Iterable<CoreV1Pod>, ends: (name: string) => boolean): void {
    const wanted = new Map([...pods].map((pod) => [fullName(pod), pod]));
    for (const mirror of told) {
      if (mirrored(mirror) === undefined) continue;
      const name = fullName(mirror);
      const pod = wanted.get(name);
      wanted.delete(name);
      if (pod && !mirror.metadata.deletionTimestamp && mirrored(mirror) === pod.metadata.uid) continue;
      if (pod || !ends(name)) this.#once(name, () => this.#remove(mirror));
    }
    for (const [name, pod] of wanted) this.#once(name, () => this.#create(pod));
  }

  #once(name: string, body: () => Promise<unknown>): void {
    if (this.#busy.has(name) || !this.#parts.nodeUid()) return;
    this.#busy.add(name);
    body()
      .catch((error) => this.#parts.log(`mirror pod ${name}: ${errorText(error)}`))
      .finally(() => this.#busy.delete(name));
  }

  async #create(pod: CoreV1Pod): Promise<void> {
    const { node, api, nodeUid } = this.#parts;
    const { uid: hash = "", ...metadata } = pod.metadata;
    const owner = { apiVersion: "v1", kind: "Node", name: node, uid: nodeUid() ?? "", controller: true };
    const mirror: CoreV1Pod = {
      ...pod,
      metadata: {
        ...metadata,
        annotations: { ...metadata.annotations, [Annotation.mirror]: hash },
        ownerReferences: [owner],
      },
    };
    const { code, body } = await api(
      "POST",
      `/api/v1/namespaces/${metadata.namespace}/pods`,
      mirror as unknown as Json,
    );
    if (code >= 300 && code !== CONFLICT) throw new Error((body as { message?: string }).message);
  }

  async #remove({ metadata: { namespace, name, uid } }: CoreV1Pod): Promise<void> {
    const options = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      gracePeriodSeconds: 0,
      preconditions: { uid: uid ?? "" },
    };
    const { code, body } = await this.#parts.api("DELETE", `/api/v1/namespaces/${namespace}/pods/${name}`, options);
    if (code >= 300 && code !== NOT_FOUND && code !== CONFLICT) throw new Error((body as { message?: string }).message);
  }
}
