import { textsHash } from "./generated/descriptions.ts";
import { tableHash } from "./generated/schemas.ts";
import type { Kind } from "./kind.ts";
import { type Document, documentsOf } from "./openapi/documents.ts";
import { pathsOf } from "./openapi/paths.ts";
import { openapiV2Protobuf } from "./openapi/protobuf.ts";
import { collectCustom, collectDefinition, type Json, type OpenApiVersion } from "./openapi/schemas.ts";
import type { Kinds } from "./registry.ts";

/** Served text with its hash, which is also its ETag. */
export type OpenApiDocument = { text: string; hash: string };

/**
 * OpenAPI of everything that is served now, rebuilt from the tables when it is asked for and kept until the kinds
 * change. It describes the fields that all objects share, and what custom resources
 * describe themselves.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition
 */
type Cache = { revision: number; documents: Map<string, OpenApiDocument> };
const caches = new WeakMap<Kinds, Cache>();

function cached(kinds: Kinds, key: string, make: () => string): OpenApiDocument {
  let cache = caches.get(kinds);
  if (cache?.revision !== kinds.revision) {
    cache = { revision: kinds.revision, documents: new Map() };
    caches.set(kinds, cache);
  }
  const known = cache.documents.get(key);
  if (known) return known;
  const text = make();
  const document = { text, hash: hash(text) };
  cache.documents.set(key, document);
  return document;
}

/** `api/v1`, `apis/apps/v1`: the part of a path that names a group and version. */
const pathOf = (kind: Kind) => `${kind.group ? "apis" : "api"}/${kind.apiVersion}`;

/** What `/openapi/v3` answers: where the documents are, those of other servers among them. */
export function openapiV3Index(
  kinds: Kinds,
  others: Readonly<Record<string, { serverRelativeURL: string }>> = {},
): OpenApiDocument {
  const own = ownIndex(kinds);
  if (Object.keys(others).length === 0) return own;
  const { paths } = JSON.parse(own.text) as { paths: object };
  const text = JSON.stringify({ paths: { ...paths, ...others } });
  return { text, hash: hash(text) };
}

function ownIndex(kinds: Kinds): OpenApiDocument {
  return cached(kinds, "v3", () => {
    const paths: Record<string, { serverRelativeURL: string }> = {};
    const all = [...kinds.all()];
    const byPath = Map.groupBy(all, pathOf);
    for (const path of new Set([...documentsOf(all).keys(), ...byPath.keys()]))
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${fingerprint(byPath.get(path) ?? [])}` };
    return JSON.stringify({ paths });
  });
}

/** The document of `api/v1` or `apis/apps/v1`; undefined where nothing is served. */
export function openapiV3(kinds: Kinds, groupVersion: string): OpenApiDocument | undefined {
  const all = [...kinds.all()];
  const members = all.filter((kind) => pathOf(kind) === groupVersion);
  const documents = documentsOf(all).get(groupVersion) ?? [];
  if (!members.length && !documents.length) return undefined;
  const document = cached(kinds, groupVersion, () => {
    const served = paths("3", members, documents);
    const schemas = definitions("3", served, members);
    const [about, secured] = documents.length ? [info, { securitySchemes: security }] : [customInfo, {}];
    return JSON.stringify({ openapi: "3.0.0", info: about, paths: served, components: { schemas, ...secured } });
  });
  return { text: document.text, hash: fingerprint(members) };
}

/** The one document of version 2. */
export function openapiV2(kinds: Kinds): OpenApiDocument {
  return cached(kinds, "v2", () => {
    const all = [...kinds.all()];
    const documents = [...documentsOf(all).values()].flat();
    const served = paths("2", all, documents);
    return JSON.stringify({
      swagger: "2.0",
      info,
      paths: served,
      definitions: definitions("2", served, all),
      securityDefinitions: security,
      security: [{ BearerToken: [] }],
    });
  });
}

const binaries = new WeakMap<OpenApiDocument, Uint8Array<ArrayBuffer>>();

/** Version 2 as `application/com.github.proto-openapi.spec.v2@v1.0+protobuf`, which is all that old kubectl takes. */
export function openapiV2Binary(document: OpenApiDocument): { bytes: Uint8Array<ArrayBuffer>; hash: string } {
  const bytes = binaries.get(document) ?? openapiV2Protobuf(JSON.parse(document.text) as Json);
  binaries.set(document, bytes);
  return { bytes, hash: document.hash };
}

const info = { title: "Kubernetes", version: "1.35" };
const customInfo = { title: "Kubernetes CRD Swagger", version: "v0.1.0" };
const security = {
  BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" },
};

const sorted = (entries: Iterable<[string, Json]>): Json =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

const paths = (version: OpenApiVersion, kinds: readonly Kind[], documents: readonly Document[]) =>
  sorted([
    ...documents.map(({ path, item }): [string, Json] => [path, item(version)]),
    ...kinds.flatMap((kind) => [...pathsOf(version, kind)]),
  ]);

/** Of everything that the paths name, and what that needs. */
function definitions(version: OpenApiVersion, paths: Json, kinds: readonly Kind[]): Json {
  const found = new Map<string, Json>();
  for (const kind of kinds) if (!kind.schema.name) collectCustom(version, kind, found);
  const names = JSON.stringify(paths).matchAll(/"#\/(?:definitions|components\/schemas)\/([^"]+)"/g);
  for (const [, name = ""] of names) if (!found.has(name)) collectDefinition(version, name, found);
  return sorted(found);
}

const prints = new WeakMap<Kind, string>();

/** Moves when a kind's structure or verbs do; cheaper than the document itself. */
function fingerprint(kinds: readonly Kind[]): string {
  return hash(kinds.map(printOf).join("\n"));
}

function printOf(kind: Kind): string {
  const known = prints.get(kind);
  if (known) return known;
  const { apiVersion, resource, verbs, subresources, schema, openapi } = kind;
  const structure = schema.name ? [tableHash, textsHash] : (openapi ?? schema);
  const print = hash(JSON.stringify([apiVersion, resource, verbs, subresources, structure]));
  prints.set(kind, print);
  return print;
}

/** 128 bits in hexadecimal: four FNV-1a hashes with different beginnings. It tells documents apart, no more. */
function hash(text: string): string {
  const lanes = [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    for (let lane = 0; lane < 4; lane++) lanes[lane] = Math.imul((lanes[lane] ?? 0) ^ code, 0x01000193 + 2 * lane);
  }
  return lanes
    .map((lane) => (lane >>> 0).toString(16).padStart(8, "0"))
    .join("")
    .toUpperCase();
}
