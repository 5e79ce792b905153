import type { Kind } from "../kinds/kind.ts";
import { concat } from "../lib/bytes.ts";
import type { KubeObject } from "../lib/object.ts";
import { fromStored } from "./engine/conversions.ts";
import { asItem, isBuiltIn, served, servedObject } from "./engine/stored.ts";
import { needConverted } from "./engine/webhook-conversion.ts";
import type { ApiResult, WatchSpec } from "./request.ts";

/**
 * Results as the text that the client accepts.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export function render(
  result: ApiResult,
  format: WatchSpec["format"],
  includeObject: string,
  now: number,
): string | Uint8Array {
  switch (result.type) {
    case "status":
      return JSON.stringify(result.body);
    case "object":
      return format === "json"
        ? served(result.kind, result.json)
        : renderObject(result.kind, result.json, format, includeObject, now);
    case "list":
      return result.parts
        ? joined(headOf(result), result.parts, "]}\n")
        : renderList(result, format, includeObject, now);
  }
}

const encoder = new TextEncoder();
const COMMA = encoder.encode(",");

/** One piece of memory, which is sent as it is. */
function joined(head: string, parts: readonly Uint8Array[], tail: string): Uint8Array {
  const items = parts.flatMap((part, index) => (index > 0 ? [COMMA, part] : [part]));
  return concat([encoder.encode(head), ...items, encoder.encode(tail)]);
}

function renderObject(
  kind: Kind,
  json: string,
  format: "table" | "metadata",
  includeObject: string,
  now: number,
): string {
  const object = fromStored(kind, JSON.parse(json) as KubeObject);
  return format === "metadata"
    ? metadataText(object)
    : tableText(kind, [{ json, object }], now, includeObject, { withColumns: true });
}

type ListResult = Extract<ApiResult, { type: "list" }>;

function renderList(result: ListResult, format: WatchSpec["format"], includeObject: string, now: number): string {
  const { kind, items, metadata } = result;
  const parsed = format !== "json" || kind.conversion ? items.map((json) => JSON.parse(json) as KubeObject) : [];
  needConverted(kind, parsed);
  if (format === "table") {
    const rows = parsed.map((object, index) => ({ json: items[index] as string, object: fromStored(kind, object) }));
    return tableText(kind, rows, now, includeObject, { withColumns: true, metadata });
  }
  const meta = JSON.stringify(metadata);
  if (format === "metadata") {
    return `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":${meta},"items":[${parsed.map(metadataText).join(",")}]}`;
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

const partial = ({ metadata }: KubeObject) => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});

export const metadataText = (object: KubeObject): string => JSON.stringify(partial(object));

type Row = { json: string; object: KubeObject };

export function tableText(
  kind: Kind,
  rows: readonly Row[],
  now: number,
  includeObject: string,
  { withColumns, metadata }: { withColumns: boolean; metadata?: ListResult["metadata"] },
): string {
  const version = rows.length === 1 ? rows[0]?.object.metadata?.resourceVersion : undefined;
  const table = {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: metadata ?? (version ? { resourceVersion: version } : {}),
    columnDefinitions: withColumns ? kind.columns.map(columnDefinition) : [],
  };
  const text = rows.map((row) => rowText(kind, row, now, includeObject)).join(",");
  return `${JSON.stringify(table).slice(0, -1)},"rows":[${text}]}`;
}

const columnDefinition = ({ name, type, format, description, priority }: Kind["columns"][number]) => ({
  name,
  type,
  format: format ?? "",
  description: description ?? "",
  priority: priority ?? 0,
});

function rowText(kind: Kind, { json, object }: Row, now: number, includeObject: string): string {
  const cells = JSON.stringify(kind.columns.map((column) => column.value(object, now)));
  if (includeObject === "None") return `{"cells":${cells}}`;
  const body = includeObject === "Object" ? served(kind, json) : metadataText(object);
  return `{"cells":${cells},"object":${body}}`;
}
