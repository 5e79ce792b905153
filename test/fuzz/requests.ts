/** Requests drawn from a seed: valid ones, and what becomes of them when something in them is broken. */
import { stringify } from "yaml";
import { encodeProtobuf } from "../../worker/kinds/protobuf/envelope.ts";
import type { Sent } from "../support/client.ts";
import type { KubeJson, Sample } from "./corpus.ts";
import { garbled, mutated, ODD, pick, type Random } from "./random.ts";

export const JSON_TYPE = "application/json";
export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
] as const;
const ACCEPTED = [
  "application/yaml",
  PROTOBUF_TYPE,
  "application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
  "application/cbor",
  "*/*;q=x",
  ";;,",
  "text/html",
];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"];
const SUBRESOURCES =
  "status scale eviction binding ephemeralcontainers resize token approval finalize log proxy x".split(" ");
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  limit: ["1", "500", "-1", "x"],
  continue: ["x", "e30=", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0"],
  resourceVersion: ["0", "1", "x", "-1"],
  resourceVersionMatch: ["Exact", "NotOlderThan", "x"],
  labelSelector: ["app=web", "app in (web,db),!x", "a=b=c", "in (", "/=/", "x notin (", "a>1"],
  fieldSelector: ["metadata.name=pod", "spec.nodeName=", "status.phase!=Running", "x=y", "=", "metadata.name==\\"],
  fieldManager: ["fuzz", "", "\u0007", "x".repeat(200)],
  fieldValidation: ["Strict", "Warn", "Ignore", "x"],
  force: ["true", "false", "x"],
  pretty: ["true", "x"],
  gracePeriodSeconds: ["0", "-1", "x", "9999999999999"],
  propagationPolicy: ["Orphan", "Foreground", "Background", "x"],
  dryRun: ["All", "x", ""],
  includeObject: ["Object", "None", "Metadata", "x"],
  timeout: ["1s", "-1s", "x", "0s"],
  allowWatchBookmarks: ["true", "x"],
  sendInitialEvents: ["true", "x"],
};
const PLACES = [
  "/api/v1/nodes/machine/proxy/x",
  "/apis",
  "/api//v1/pods",
  "/api/v1/pods/",
  "/api/v1/namespaces/fuzz/pods/%2e%2e/%2e%2e/secrets",
  "/api/v1/namespaces/%00/pods",
  "/openapi/v3/apis/apps/v1",
  "/openapi/v2",
  "/healthz/x",
  "/readyz?verbose",
  "/metrics",
  "/version/",
  "/skerry/join",
  "/skerry/tokens",
  "/relay/a/b",
  "/clusters/x/api",
  "/%",
  "/api/v1/watch/namespaces/fuzz/pods?timeoutSeconds=1",
];
/** Names of objects; few, so that requests meet what others made. */
const COPIES = 5;
/** One request in so many is a watch, which takes its second. */
const WATCHES_PER_REQUEST = 0.002;

const chance = (random: Random, share: number) => random() < share;

function named(random: Random, { object }: Sample): KubeJson {
  const { name } = object.metadata ?? {};
  const copy = Math.floor(random() * COPIES);
  // Some names say what the object is about, or must be its content's.
  if (!name || copy === 0 || /^\d|\./.test(name)) return object;
  return { ...object, metadata: { ...object.metadata, name: `${name}-${copy}` } };
}

function query(random: Random): string {
  const parameters = new URLSearchParams();
  while (chance(random, 0.3)) {
    const name = pick(random, Object.keys(PARAMETERS));
    parameters.set(name, chance(random, 0.1) ? String(pick(random, ODD)) : pick(random, PARAMETERS[name] ?? [""]));
  }
  return String(parameters);
}

/** Paths of a value's parts, as JSON Patch names them. */
function pointers(value: unknown, at = ""): string[] {
  if (typeof value !== "object" || value === null) return [at];
  return [
    at,
    ...Object.entries(value).flatMap(([key, inner]) =>
      pointers(inner, `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`),
    ),
  ];
}

function operations(random: Random, object: KubeJson): unknown[] {
  const places = [...pointers(object), "/x", "/metadata/labels/-", "x", "/spec/-", "/spec/containers/9"];
  const list: unknown[] = [];
  do {
    list.push({
      op: pick(random, ["add", "remove", "replace", "test", "move", "copy", "x"]),
      path: pick(random, places),
      from: pick(random, places),
      value: pick(random, ODD),
    });
  } while (chance(random, 0.4));
  return list;
}

/** The object with some of its top-level fields, as a patch that says only what changes. */
function partly(random: Random, object: KubeJson): KubeJson {
  const kept = Object.entries(object).filter(([key]) => key === "metadata" || chance(random, 0.6));
  return Object.fromEntries(kept) as KubeJson;
}

const DIRECTIVES = [
  { $patch: "delete" },
  { $patch: "replace" },
  { $patch: "x" },
  { $retainKeys: ["type"] },
  { "$setElementOrder/containers": [{ name: "web" }] },
  { "$deleteFromPrimitiveList/finalizers": ["a"] },
];

function patch(random: Random, object: KubeJson, type: string): unknown {
  if (type === PATCH_TYPES[0]) return operations(random, object);
  if (type === PATCH_TYPES[3]) return object;
  const changed = partly(random, object);
  const directed = type === PATCH_TYPES[2] && chance(random, 0.3);
  return directed ? { ...changed, spec: { ...(changed.spec as object), ...pick(random, DIRECTIVES) } } : changed;
}

/** The body's bytes, in one of the forms that clients send. */
function encoded(random: Random, value: unknown, type: string): { type: string; body: string | Buffer } {
  if (type === JSON_TYPE && chance(random, 0.15)) {
    try {
      const bytes = Buffer.from(encodeProtobuf(value as KubeJson));
      if (chance(random, 0.5)) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      return { type: PROTOBUF_TYPE, body: chance(random, 0.1) ? bytes.subarray(0, bytes.length / 2) : bytes };
    } catch {
      // What was broken has no such form.
    }
  }
  const isYaml = (type === JSON_TYPE || type === PATCH_TYPES[3]) && chance(random, 0.1);
  const text = isYaml ? stringify(value) : (JSON.stringify(value) ?? "");
  return {
    type: isYaml && type === JSON_TYPE ? "application/yaml" : type,
    body: chance(random, 0.1) ? garbled(random, text) : text,
  };
}

/** Draws one request. `headers` go with each. */
export function draw(random: Random, samples: readonly Sample[], headers: Record<string, string>): Sent {
  const sample = pick(random, samples);
  const object = named(random, sample);
  const one = `${sample.collection}/${object.metadata?.name ?? "x"}`;
  const sent = { ...headers };
  if (chance(random, 0.15)) sent.accept = pick(random, ACCEPTED);
  const parameters = query(random);
  if (chance(random, WATCHES_PER_REQUEST))
    return { method: "GET", path: `${sample.collection}?${parameters}&watch=1&timeoutSeconds=1`, headers: sent };

  const verb = pick(random, ["create", "create", "get", "list", "update", "patch", "patch", "patch", "delete", "odd"]);
  const method = { create: "POST", update: "PUT", patch: "PATCH", delete: "DELETE", odd: pick(random, METHODS) }[verb];
  const place = verb === "create" || verb === "list" ? sample.collection : one;
  let path = place + (place === one && chance(random, 0.2) ? `/${pick(random, SUBRESOURCES)}` : "");
  if (verb === "odd" && chance(random, 0.7)) path = pick(random, PLACES);
  path += `${path.includes("?") ? "&" : "?"}${parameters}`;
  if (method === undefined || method === "GET" || method === "HEAD")
    return { method: method ?? "GET", path, headers: sent };

  const type = verb === "patch" ? pick(random, PATCH_TYPES) : JSON_TYPE;
  const plain = verb === "patch" ? patch(random, object, type) : verb === "delete" ? {} : object;
  const value = chance(random, 0.6) ? mutated(random, plain) : plain;
  const { body, type: contentType } = encoded(random, value, type);
  sent["content-type"] = chance(random, 0.03) ? pick(random, [...PATCH_TYPES, "text/plain", ""]) : contentType;
  return { method, path, headers: sent, body };
}
