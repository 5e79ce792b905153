/** A server of one object: what the engine does around patches, for the tests of this folder. */
import type { KubeObject, ManagedFieldsEntry } from "../../lib/object.ts";
import type { Schema } from "../schema.ts";
import { schemaOf } from "../tables.ts";
import { apply } from "./apply.ts";
import { allBut } from "./ownable.ts";
import { trackUpdate } from "./track-update.ts";

export type Loose = KubeObject & Record<string, unknown>;
type Options = { manager?: string; subresource?: string; force?: boolean };

/** 2026-01-01T00:00:00Z, and a minute later for each write that follows. */
const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

export class ObjectServer {
  object: Loose | undefined;
  readonly #schema: Schema;
  readonly #type: { apiVersion: string; kind: string };
  #writes = 0;

  constructor(apiVersion: string, kind: string, schema: string | Schema) {
    this.#schema = typeof schema === "string" ? schemaOf(schema) : schema;
    this.#type = { apiVersion, kind };
  }

  #tracking({ manager = "m1", subresource = "" }: Options) {
    return {
      schema: this.#schema,
      ...this.#type,
      manager,
      subresource,
      ownable: allBut(subresource === "status" ? "spec" : "status"),
      now: START_MS + MINUTE_MS * this.#writes++,
    };
  }

  apply(fields: object, options: Options = {}): Loose {
    const applied = { ...this.#type, metadata: { name: "a" }, ...fields };
    const force = options.force ?? false;
    this.object = apply({ ...this.#tracking(options), live: this.object, applied, force }) as Loose;
    return this.object;
  }

  /** Writes the whole object. */
  update(fields: object, options: Options = {}): Loose {
    const object: Loose = { ...this.#type, metadata: { name: "a" }, ...fields };
    const managedFields = trackUpdate({ ...this.#tracking(options), old: this.object, object });
    this.object = { ...object, metadata: { ...object.metadata, managedFields } };
    return this.object;
  }

  get managers(): ManagedFieldsEntry[] | undefined {
    return this.object?.metadata?.managedFields;
  }

  /** `m1 Apply`, `hpa Update scale`, each with its fields. */
  get owners(): Record<string, unknown> {
    const name = ({ manager, operation, subresource }: ManagedFieldsEntry) =>
      [manager, operation, subresource].filter(Boolean).join(" ");
    return Object.fromEntries((this.managers ?? []).map((entry) => [name(entry), entry.fieldsV1]));
  }
}

export const configMap = () => new ObjectServer("v1", "ConfigMap", "io.k8s.api.core.v1.ConfigMap");
export const deployment = () => new ObjectServer("apps/v1", "Deployment", "io.k8s.api.apps.v1.Deployment");
