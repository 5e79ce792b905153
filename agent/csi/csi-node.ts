/** What the cluster hears of a node's CSI drivers: its CSINode, and labels and an annotation of its Node. */
import type { CoreV1Node, StorageV1CSINode } from "../../worker/kinds/generated/types.ts";
import type { Json } from "../../worker/protocol/link.ts";
import type { Api } from "../volumes/tokens.ts";
import type { DriverInfo } from "./driver.ts";

/** On a Node: `{DRIVER: NODE ID}`. */
const NODE_IDS = "csi.volume.kubernetes.io/nodeid";
const MERGE = "application/merge-patch+json";
/** Others write the same objects. */
const TRIES = 5;

type Driver = NonNullable<StorageV1CSINode["spec"]>["drivers"][number];

export class CsiNode {
  readonly #node: string;
  readonly #api: Api;
  #last: Promise<unknown> = Promise.resolve();

  constructor(node: string, api: Api) {
    this.#node = node;
    this.#api = api;
  }

  /** The Node first: what is scheduled by the CSINode finds its labels. */
  has(name: string, { nodeId, mostVolumes, topology }: DriverInfo): Promise<void> {
    const keys = Object.keys(topology).sort();
    const driver: Driver = {
      name,
      nodeID: nodeId,
      topologyKeys: keys.length > 0 ? keys : null,
      ...(mostVolumes > 0 && { allocatable: { count: mostVolumes } }),
    } as Driver;
    return this.#inTurn(async () => {
      await this.#nodeIds((ids) => ({ ...ids, [name]: nodeId }), topology);
      await this.#drivers((drivers) => [...drivers.filter((other) => other.name !== name), driver]);
    });
  }

  hasNot(name: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#drivers((drivers) => drivers.filter((other) => other.name !== name));
      await this.#nodeIds(({ [name]: _, ...ids }) => ids, {});
    });
  }

  #inTurn(body: () => Promise<void>): Promise<void> {
    const next = this.#last.then(body, body);
    this.#last = next;
    return next;
  }

  async #nodeIds(
    change: (ids: Record<string, string>) => Record<string, string>,
    labels: Readonly<Record<string, string>>,
  ): Promise<void> {
    const path = `/api/v1/nodes/${encodeURIComponent(this.#node)}`;
    const node = await this.#ask<CoreV1Node>("GET", path);
    const before = node.metadata?.annotations?.[NODE_IDS];
    const ids = change(before ? (JSON.parse(before) as Record<string, string>) : {});
    const after = Object.keys(ids).length > 0 ? JSON.stringify(ids) : null;
    const hasLabels = Object.entries(labels).every(([key, value]) => node.metadata?.labels?.[key] === value);
    if (after === (before ?? null) && hasLabels) return;
    await this.#ask("PATCH", path, { metadata: { annotations: { [NODE_IDS]: after }, labels: { ...labels } } }, MERGE);
  }

  async #drivers(change: (drivers: readonly Driver[]) => readonly Driver[]): Promise<void> {
    const path = "/apis/storage.k8s.io/v1/csinodes";
    for (let tries = 1; ; tries++) {
      const { code, body } = await this.#api("GET", `${path}/${encodeURIComponent(this.#node)}`);
      const found = code === 404 ? undefined : (checked(code, body) as unknown as StorageV1CSINode);
      const drivers = change(found?.spec?.drivers ?? []);
      if (found && JSON.stringify(drivers) === JSON.stringify(found.spec?.drivers ?? [])) return;
      const wanted = { ...(found ?? (await this.#empty())), spec: { drivers } } as unknown as Json;
      const written = found
        ? await this.#api("PUT", `${path}/${encodeURIComponent(this.#node)}`, wanted)
        : await this.#api("POST", path, wanted);
      if (written.code < 300) return;
      if (written.code !== 409 || tries === TRIES) checked(written.code, written.body);
    }
  }

  /** It goes with its Node. */
  async #empty() {
    const { metadata } = await this.#ask<CoreV1Node>("GET", `/api/v1/nodes/${encodeURIComponent(this.#node)}`);
    const owner = { apiVersion: "v1", kind: "Node", name: this.#node, uid: metadata?.uid ?? "" };
    return {
      apiVersion: "storage.k8s.io/v1",
      kind: "CSINode",
      metadata: { name: this.#node, ownerReferences: [owner] },
    };
  }

  async #ask<T>(method: string, path: string, body?: Json, type?: string): Promise<T> {
    const answer = await this.#api(method, path, body, type);
    return checked(answer.code, answer.body) as T;
  }
}

function checked(code: number, body: Json): unknown {
  if (code < 300) return body;
  throw new Error((body as { message?: string } | null)?.message ?? `code ${code}`);
}
