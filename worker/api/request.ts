import type { Kind } from "../kinds/kind.ts";
import type { AuditNotes } from "./audit/event.ts";

/** Who asks: https://kubernetes.io/docs/reference/access-authn-authz/authentication/ */
export type User = { name: string; uid?: string; groups: readonly string[]; extra?: Record<string, string[]> };

export type Verb = "create" | "get" | "list" | "watch" | "update" | "patch" | "delete" | "deletecollection";

/** One request about objects, after routing, authentication and authorization, before the body is understood. */
export type ApiRequest = {
  verb: Verb;
  kind: Kind;
  /** "" for cluster-scoped kinds and for lists over all namespaces. */
  namespace: string;
  /** "" for lists and creates. */
  name: string;
  /** "" for the object itself. */
  subresource: string;
  user: User;
  query: URLSearchParams;
  /** The media type of the body without parameters, e.g. `application/merge-patch+json`; "" when there is no body. */
  contentType: string;
  /** The body's text, not yet parsed; undefined when there is none. */
  body: string | undefined;
  /** Of a body that was YAML: what it says twice, which its JSON does not show. */
  repeatedKeys?: readonly string[];
  /** The objects of a list may come as bytes: they are to be sent as they are. */
  asBytes?: boolean;
  /** What the audit log is told of it on the way; absent where it is not recorded. */
  audit?: AuditNotes;
  /** For the default field manager: the part of it before the first "/". */
  userAgent: string;
};

/**
 * An answer whose body is an object still to be rendered as the client accepts it (JSON, Table, PartialObjectMetadata).
 * `json` is text as stored, ready to send; a list keeps its items apart so that no text is parsed only to be written, or
 * has them as `parts` of a JSON list, which want commas between, when they were asked for so.
 */
export type ApiResult = { code: number; warnings: readonly string[] } & (
  | { type: "object"; kind: Kind; json: string }
  | { type: "list"; kind: Kind; items: readonly string[]; metadata: ListMeta; parts?: readonly Uint8Array[] }
  | { type: "status"; body: unknown }
);

export type ListMeta = { resourceVersion: string; continue?: string; remainingItemCount?: number };

/** A checked watch: from which revision, of what, until when. Plain data, so that it survives hibernation. */
export type WatchSpec = {
  groupResource: string;
  /** Group/version under which events are served. */
  apiVersion: string;
  namespace: string;
  labelSelector: string;
  fieldSelector: string;
  /** Events after this revision are sent; moves on as they are. */
  revision: number;
  /** Synthetic ADDED events for what exists come first, at `revision`. */
  sendInitial: boolean;
  /** After the initial events, a bookmark annotated `k8s.io/initial-events-end`. */
  initialEventsEnd: boolean;
  bookmarks: boolean;
  /** When the watch ends cleanly, ms since the epoch. */
  deadline: number;
  format: "json" | "table" | "metadata";
  /** How events are written, where it is not as JSON. */
  encoding?: "protobuf";
  /** The version of `meta.k8s.io` that tables and metadata come under, where it is not v1. */
  metaVersion?: "v1beta1";
  /** `includeObject` of tables: None, Metadata or Object. */
  includeObject: string;
  /** A Table watch has sent its column definitions. */
  headed?: boolean;
};
