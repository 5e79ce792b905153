import type { KubeObject } from "../lib/object.ts";
import type { FieldError } from "../lib/status.ts";
import type { Schema } from "./schema.ts";

/** What a Table shows. `format: "name"` marks the name column; priority 1 columns show with `-o wide`. */
export type Column<T = KubeObject> = {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  format?: string;
  priority?: number;
  description?: string;
  /** A cell; `now` (ms) serves ages, which print as kubectl prints durations. */
  value(object: T, now: number): string | number | boolean | null;
};

/** Reads a selected field as text. (A method's type, so that a Kind of Pods can stand where any Kind can.) */
export type FieldSelector<T = KubeObject> = { read(object: T): string }["read"];

export type Subresource = {
  /** `status`, `scale`, `binding`, `eviction`, `log`, `exec`, `attach`, `portforward`, `token`, … */
  name: string;
  /** Group, version and kind of its body where it differs from the parent's (`autoscaling/v1 Scale`). */
  body?: { group: string; version: string; kind: string };
  verbs: readonly string[];
};

/** How a webhook converts the versions of a custom resource; one value for all of its kinds. */
export type WebhookConversion = {
  client: {
    url?: string;
    service?: { namespace: string; name: string; path?: string; port?: number };
    caBundle?: string;
  };
  reviewVersions: readonly string[];
  /** The version that objects are stored in, and all that are served: `example.com/v1`. */
  storedAs: string;
  served: readonly string[];
};

/** The JSON paths that `/scale` reads and writes. */
export type ScalePaths = { specReplicas: string; statusReplicas: string; selector: string };

/**
 * Everything the server knows about one kind in one version. Routes, discovery, OpenAPI, RBAC names, Table output,
 * generation rules and field selectors are derived from it. A built-in kind is made by `defineKind`, a custom
 * resource at run time; the code that uses a Kind cannot tell them apart.
 */
export type Kind<T extends KubeObject = KubeObject> = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  /** Plural without group: `deployments`. */
  readonly resource: string;
  readonly singular: string;
  /** `deployments.apps`, `pods`: the resource's name in storage and in work keys. */
  readonly groupResource: string;
  /** `apps/v1`, `v1`. */
  readonly apiVersion: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
  readonly schema: Schema;
  /** Dotted fields that a write to an endpoint leaves as they are, so that its manager does not come to own them. */
  readonly resetFields?: (subresource: string) => readonly string[];
  /** Of a custom resource: the JSON schema it was declared with, published as it is. */
  readonly openapi?: Readonly<Record<string, unknown>>;
  readonly scale?: ScalePaths;
  /** Problems with a name, in apimachinery's words; empty when it is good. */
  readonly nameProblems: (name: string) => readonly string[];
  /** Fills what the user left out, in place; idempotent; also run on objects read from storage. */
  default(object: T): void;
  /** Of a custom resource whose versions differ in more than their name. */
  readonly conversion?: WebhookConversion;
  /** Brings a stored object, in place, to a schema that has changed since it was written; absent where none can. */
  refresh?(object: T): void;
  /** The revision of that schema: what was written later lies as it has it. Absent where that cannot be said. */
  readonly schemaRevision?: number;
  /** Of a custom resource: the version that its definition stores. */
  readonly storageVersion?: string;
  /** Clears or sets what the server owns before a create, in place (e.g. drops `status`, sets `phase: Pending`). */
  prepareForCreate(object: T): void;
  /** Copies from `old` what this endpoint may not change, in place (e.g. `status` on a plain update). */
  prepareForUpdate(object: T, old: T, subresource: string): void;
  /** `metadata.generation` is counted: 1 on create, moved when `changesGeneration` says so. */
  readonly hasGeneration: boolean;
  /** True when a change from `old` to `object` moves `metadata.generation`. */
  changesGeneration(object: T, old: T): boolean;
  /** Problems beyond structure; the caller has checked types, defaults and metadata already. */
  validate(object: T): Iterable<FieldError>;
  /** Problems that only a new object can have. */
  validateCreate(object: T): Iterable<FieldError>;
  validateUpdate(object: T, old: T, subresource: string): Iterable<FieldError>;
  /** The problems of an update come before those of the object. */
  readonly changesFirst?: boolean;
  /** Told in a `Warning` header of every answer: that there is something better. */
  readonly deprecation?: string;
  /** Texts for `Warning` headers. */
  warnings(object: T, old: T | undefined, subresource: string): Iterable<string>;
  readonly columns: readonly Column<T>[];
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly fieldSelectors: Readonly<Record<string, FieldSelector<T>>>;
};
