import { columnText } from "../kinds/columns.ts";
import type { Kind } from "../kinds/kind.ts";
import { encodeProtobuf, hasProtobuf } from "../kinds/protobuf/envelope.ts";
import { concat } from "../lib/bytes.ts";
import type { KubeObject } from "../lib/object.ts";
import { notAcceptable } from "../lib/status.ts";
import { fromStored } from "./engine/conversions.ts";
import { asItem, isBuiltIn, served, servedObject } from "./engine/stored.ts";
import { needConverted } from "./engine/webhook-conversion.ts";
import type { ApiResult } from "./request.ts";

/**
 * Results as the text that the client accepts.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function render(result: ApiResult, look: Look, now: number): string | Uint8Array {
  switch (result.type) {
    case "status":
      return JSON.stringify(result.body);
    case "object":
      return look.shape === "json"
        ? served(result.kind, result.json)
        : renderObject(result.kind, result.json, look, now);
    case "list":
      return result.parts ? joined(headOf(result), result.parts, "]}\n") : renderList(result, look, now);
  }
}

/** How an answer is to look. */
export type Look = {
  shape: "json" | "table" | "metadata" | "metadata-list";
  /** The version of `meta.k8s.io` that tables and metadata come under; v1 where it is not said. */
  metaVersion?: string;
  /** Which objects the rows of a Table carry. */
  includeObject?: string;
};

/** A list as protobuf, written item by item, so that no more than one is in memory as an object. Undefined for what is no such list. */
export function listAsProtobuf(result: ApiResult, { shape, metaVersion = "v1" }: Look): Uint8Array | undefined {
  if (result.type !== "list" || result.parts || result.kind.conversion) return undefined;
  const { kind, items, metadata } = result;
  const [listKind, apiVersion, read] =
    shape === "json"
      ? [kind.listKind, kind.apiVersion, (json: string) => JSON.parse(served(kind, json))]
      : [
          "PartialObjectMetadataList",
          `meta.k8s.io/${metaVersion}`,
          (json: string) => fromStored(kind, JSON.parse(json) as KubeObject),
        ];
  if (shape === "table" || shape === "metadata") return undefined;
  const list = { kind: listKind, apiVersion, metadata, items: items.values().map(read) };
  return hasProtobuf(list) ? encodeProtobuf(list) : undefined;
}

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");

/** One piece of memory, which is sent as it is. */
function joined(head: string, parts: readonly Uint8Array[], tail: string): Uint8Array {
  const items = parts.flatMap((part, index) => (index > 0 ? [COMMA, part] : [part]));
  return concat([encoder.encode(head), ...items, encoder.encode(tail)]);
}

/** Go's name of a type, as the refusals tell it. */
const goName = (kind: Kind, name: string, unstructured: string) =>
  isBuiltIn(kind) ? `*${kind.group.split(".")[0] || "core"}.${name}` : `*unstructured.${unstructured}`;

function renderObject(kind: Kind, json: string, look: Look, now: number): string {
  if (look.shape === "metadata-list")
    throw notAcceptable(
      `you requested PartialObjectMetadataList, but the requested object is not a list (${goName(kind, kind.kind, "Unstructured")})`,
    );
  const object = fromStored(kind, JSON.parse(json) as KubeObject);
  return look.shape === "metadata"
    ? metadataText(object, look.metaVersion)
    : tableText(kind, [{ json, object }], now, look, { withColumns: true });
}

type ListResult = Extract<ApiResult, { type: "list" }>;

function renderList(result: ListResult, look: Look, now: number): string {
  const { kind, items, metadata } = result;
  const { shape, metaVersion = "v1" } = look;
  if (shape === "metadata")
    throw notAcceptable(
      `you requested PartialObjectMetadata, but the requested object is a list (${goName(kind, kind.listKind, "UnstructuredList")})`,
    );
  const parsed = shape !== "json" || kind.conversion ? items.map((json) => JSON.parse(json) as KubeObject) : [];
  needConverted(kind, parsed);
  if (shape === "table") {
    const rows = parsed.map((object, index) => ({ json: items[index] as string, object: fromStored(kind, object) }));
    return tableText(kind, rows, now, look, { withColumns: true, metadata });
  }
  const meta = JSON.stringify(metadata);
  if (shape === "metadata-list") {
    const texts = parsed.map((object) => metadataText(object, metaVersion));
    return `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${metaVersion}","metadata":${meta},"items":[${texts.join(",")}]}`;
  }
  const texts = kind.conversion
    ? parsed.map((object) => servedObject(kind, object))
    : items.map((json) => asItem(kind, json));
  return `${headOf(result)}${texts.join(",")}]}`;
}

const headOf = ({ kind, metadata }: ListResult) =>
  `{"kind":"${kind.listKind}","apiVersion":"${kind.apiVersion}","metadata":${listMeta(kind, metadata)},"items":[`;

/** Lists of custom resources always have `continue`; others leave out what is empty. */
const listMeta = (kind: Kind, metadata: ListResult["metadata"]) =>
  JSON.stringify(isBuiltIn(kind) ? metadata : { continue: "", ...metadata });

export const metadataText = ({ metadata }: KubeObject, version = "v1"): string =>
  JSON.stringify({ kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata });

type Row = { json: string; object: KubeObject };

export function tableText(
  kind: Kind,
  rows: readonly Row[],
  now: number,
  look: Omit<Look, "shape">,
  { withColumns, metadata }: { withColumns: boolean; metadata?: ListResult["metadata"] },
): string {
  const version = rows.length === 1 ? rows[0]?.object.metadata?.resourceVersion : undefined;
  const meta = JSON.stringify(metadata ?? (version ? { resourceVersion: version } : {}));
  const columns = withColumns ? columnDefinitions(kind) : "null";
  const text = rows.map((row) => rowText(kind, row, now, look)).join(",");
  return `{"kind":"Table","apiVersion":"meta.k8s.io/${look.metaVersion ?? "v1"}","metadata":${meta},"columnDefinitions":${columns},"rows":[${text}]}`;
}

const definitions = new WeakMap<Kind, string>();

/** Of every table of a kind the same. */
function columnDefinitions(kind: Kind): string {
  const known = definitions.get(kind);
  if (known) return known;
  const text = JSON.stringify(
    kind.columns.map(({ name, type, format = "", description = "", priority = 0 }) => ({
      name,
      type,
      format,
      description: columnText(description),
      priority,
    })),
  );
  definitions.set(kind, text);
  return text;
}

function rowText(
  kind: Kind,
  { json, object }: Row,
  now: number,
  { includeObject, metaVersion }: Omit<Look, "shape">,
): string {
  const cells = JSON.stringify(kind.columns.map((column) => column.value(object, now)));
  if (includeObject === "None") return `{"cells":${cells},"object":null}`;
  const body = includeObject === "Object" ? served(kind, json) : metadataText(object, metaVersion);
  return `{"cells":${cells},"object":${body}}`;
}
