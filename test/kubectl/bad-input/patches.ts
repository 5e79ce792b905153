/** Patches of all four types that do not fit. */
import { badRequest, CONFIG_MAPS, configMap, DEPLOYMENTS, invalid, type Row, refused } from "./row.ts";

const REJECTED = invalid("the server rejected our request due to an error in our request");
const type = (name: string) => ({ "content-type": name });
const json = type("application/json-patch+json");
const merge = type("application/merge-patch+json");
const strategic = type("application/strategic-merge-patch+json");
const apply = type("application/apply-patch+yaml");
const A = `${CONFIG_MAPS}/a`;
const deep = (levels: number) => `${'{"data":'.repeat(levels)}1${"}".repeat(levels)}`;

export const patches: Row[] = [
  {
    name: "no type",
    ask: `PATCH ${A}`,
    headers: type("application/json"),
    body: {},
    ...refused(415, "UnsupportedMediaType", "415: Unsupported Media Type"),
  },
  {
    name: "JSON patch: not JSON",
    ask: `PATCH ${A}`,
    headers: json,
    body: "[",
    ...badRequest("error decoding patch: unexpected end of JSON input"),
  },
  {
    name: "JSON patch: an object",
    ask: `PATCH ${A}`,
    headers: json,
    body: {},
    ...badRequest("error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
  },
  {
    name: "JSON patch: a failed test",
    ask: `PATCH ${A}`,
    headers: json,
    body: [{ op: "test", path: "/data/k", value: "no" }],
    ...REJECTED,
  },
  {
    name: "JSON patch: a path to nowhere",
    ask: `PATCH ${A}`,
    headers: json,
    body: [{ op: "replace", path: "/x/y/z", value: 1 }],
    ...REJECTED,
  },
  {
    name: "JSON patch: an operation that is none",
    ask: `PATCH ${A}`,
    headers: json,
    body: [{ op: "explode", path: "/data" }],
    ...REJECTED,
  },
  {
    name: "JSON patch: of the prototype",
    ask: `PATCH ${A}`,
    headers: json,
    body: [{ op: "add", path: "/__proto__/polluted", value: "x" }],
    ...REJECTED,
  },
  {
    name: "JSON patch: 10,001 operations",
    ask: `PATCH ${A}`,
    headers: json,
    body: Array.from({ length: 10_001 }, () => ({ op: "test", path: "/data/k", value: "v" })),
    ...refused(
      413,
      "RequestEntityTooLarge",
      "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    ),
  },
  {
    name: "JSON patch: copies that grow without end",
    ask: `PATCH ${A}`,
    headers: json,
    body: Array.from({ length: 60 }, (_, i) => ({ op: "copy", from: i ? `/data` : "/data", path: `/data/c${i}` })),
    ...REJECTED,
  },
  {
    name: "JSON patch: a wrong type",
    ask: `PATCH ${A}`,
    headers: json,
    body: [{ op: "add", path: "/data", value: [1] }],
    ...invalid(/cannot unmarshal array into Go struct field ConfigMap.data of type map\[string\]string/),
  },
  {
    name: "JSON patch: the name",
    ask: `PATCH ${A}`,
    headers: json,
    body: [{ op: "replace", path: "/metadata/name", value: "b" }],
    ...badRequest("the name of the object (b) does not match the name on the URL (a)"),
  },
  {
    name: "merge patch: not JSON",
    ask: `PATCH ${A}`,
    headers: merge,
    body: "data: {}",
    ...badRequest("error decoding patch: invalid character 'd' looking for beginning of value"),
  },
  {
    name: "merge patch: a list",
    ask: `PATCH ${A}`,
    headers: merge,
    body: [],
    ...badRequest("error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
  },
  {
    name: "merge patch: nested 100,000 deep",
    ask: `PATCH ${A}`,
    headers: merge,
    body: deep(100_000),
    ...badRequest("error decoding patch: invalid character '{' exceeded max depth"),
  },
  {
    name: "merge patch: nested 900 deep",
    ask: `PATCH ${A}`,
    headers: merge,
    body: deep(900),
    ...invalid(/cannot unmarshal object into Go struct field ConfigMap.data of type string/),
  },
  {
    name: "strategic patch: not JSON",
    ask: `PATCH ${A}`,
    headers: strategic,
    body: "x",
    ...badRequest("invalid character 'x' looking for beginning of value"),
  },
  {
    name: "strategic patch: an item without its key",
    ask: `PATCH ${DEPLOYMENTS}/web`,
    headers: strategic,
    body: { spec: { template: { spec: { containers: [{ image: "x" }] } } } },
    ...refused(500, "", "map: map[image:x] does not contain declared merge key: name"),
  },
  {
    name: "strategic patch: a directive that is none",
    ask: `PATCH ${DEPLOYMENTS}/web`,
    headers: strategic,
    body: { spec: { $patch: "explode" } },
    ...refused(500, "", "unknown patch type: explode in map: map[$patch:explode]"),
  },
  {
    name: "apply: no field manager",
    ask: `PATCH ${A}`,
    headers: apply,
    body: configMap({ name: "a" }),
    ...invalid('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'),
  },
  {
    name: "apply: not YAML",
    ask: `PATCH ${A}?fieldManager=m`,
    headers: apply,
    body: "a: [",
    ...badRequest(/^(error decoding YAML|yaml): /),
  },
  {
    name: "apply: another's field",
    ask: `PATCH ${A}?fieldManager=m`,
    headers: apply,
    body: configMap({ name: "a" }, { data: { k: "w" } }),
    ...refused(409, "Conflict", /^Apply failed with 1 conflict: conflict with "\w+" using v1: \.data\.k$/),
  },
  {
    name: "apply: null for apiVersion",
    ask: `PATCH ${A}?fieldManager=m`,
    headers: apply,
    body: { apiVersion: null, kind: "ConfigMap", metadata: { name: "a" } },
    ...badRequest("invalid object type: /, Kind=ConfigMap"),
  },
  {
    name: "apply: unknown field",
    ask: `PATCH ${A}?fieldManager=m`,
    headers: apply,
    body: configMap({ name: "a" }, { dat: {} }),
    ...refused(
      500,
      "",
      "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .dat: field not declared in schema",
    ),
  },
  {
    name: "apply: managedFields",
    ask: `PATCH ${A}?fieldManager=m`,
    headers: apply,
    body: configMap({ name: "a", managedFields: [{ manager: "x", operation: "Apply" }] }),
    ...badRequest(/managedFields must be nil/),
  },
  {
    name: "force without apply",
    ask: `PATCH ${A}?force=true`,
    headers: merge,
    body: {},
    ...invalid('PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'),
  },
  {
    name: "of nothing",
    ask: `PATCH ${CONFIG_MAPS}/none`,
    headers: merge,
    body: {},
    ...refused(404, "NotFound", 'configmaps "none" not found'),
  },
];
