/** Requests that ask for what is not: patches, queries, methods, paths, media types, streams. */
import { badRequest, CONFIG_MAPS, configMap, DEPLOYMENTS, invalid, PODS, type Row, refused } from "./row.ts";

const type = (name: string) => ({ "content-type": name });
const json = type("application/json-patch+json");
const merge = type("application/merge-patch+json");
const strategic = type("application/strategic-merge-patch+json");
const apply = type("application/apply-patch+yaml");
const A = `${CONFIG_MAPS}/a`;
const REJECTED = invalid("the server rejected our request due to an error in our request");
const deep = (levels: number) => `${'{"data":'.repeat(levels)}1${"}".repeat(levels)}`;

const patches: Row[] = [
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
    ...badRequest("error decoding patch: json: cannot unmarshal object into Go value of type []interface {}"),
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
      "Request entity is too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
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
    ...badRequest(/cannot unmarshal array into Go struct field ConfigMap.data of type map\[string\]string/),
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
    ...badRequest(/cannot unmarshal object into Go struct field ConfigMap.data of type string/),
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
    ...refused(422, "", "map: map[image:x] does not contain declared merge key: name"),
  },
  {
    name: "strategic patch: a directive that is none",
    ask: `PATCH ${DEPLOYMENTS}/web`,
    headers: strategic,
    body: { spec: { $patch: "explode" } },
    ...refused(422, "", "unknown patch type: explode in map: map[$patch:explode]"),
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
      422,
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

const field = (text: string) => `GET ${PODS}?fieldSelector=${encodeURIComponent(text)}`;
const label = (text: string) => `GET ${PODS}?labelSelector=${encodeURIComponent(text)}`;
const query = (text: string) => `GET ${CONFIG_MAPS}?${text}`;
const manyValues = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`).join();
const queries: Row[] = [
  {
    name: "label selector: an operator alone",
    ask: label("=x"),
    ...badRequest("found '=', expected: !, identifier, or 'end of string'"),
  },
  {
    name: "label selector: a set that does not close",
    ask: label("a in (b"),
    ...badRequest(/^unable to parse requirement: found '', expected: ',' or '\)'/),
  },
  {
    name: "label selector: a key that is none",
    ask: label("a b=c"),
    ...badRequest(/^(unable to parse requirement: )?found 'b', expected: in, notin, =, ==, !=, gt, lt/),
  },
  {
    name: "label selector: a value that is none",
    ask: label("a=-b"),
    ...badRequest(/^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": a valid label must be/),
  },
  {
    name: "label selector: the last of 8,000 values",
    ask: label(`a in (${manyValues(8000)},-bad)`),
    ...badRequest(/^unable to parse requirement: values\[\d+\]\[a\]: Invalid value: "-bad": a valid label must be/),
  },
  {
    name: "label selector: longer than a URL may be",
    ask: label(`a in (${manyValues(20_000)})`),
    ...refused(414, "", "URI too long"),
  },
  {
    name: "label selector: longer than the head of a request may be",
    ask: label(`a in (${manyValues(100_000)})`),
    ...refused(431, "", "message head is too large"),
  },
  {
    name: "field selector: no operator",
    ask: field("metadata.name"),
    ...badRequest("invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
  },
  {
    name: "field selector: of a pod's unknown field",
    ask: field("spec.containers=x"),
    ...badRequest("field label not supported: spec.containers"),
  },
  {
    name: "field selector: of a ConfigMap's data",
    ask: query("fieldSelector=data.k%3D1"),
    ...badRequest('"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"'),
  },
  {
    name: "field selector: inherited by objects",
    ask: field("constructor=x"),
    ...badRequest("field label not supported: constructor"),
  },
  { name: "limit: text", ask: query("limit=many"), ...badRequest(/strconv.ParseInt: parsing "many": invalid syntax/) },
  {
    name: "limit: past 64 bits",
    ask: query("limit=9999999999999999999999"),
    ...badRequest(/strconv.ParseInt: parsing "9999999999999999999999": value out of range/),
  },
  {
    name: "timeoutSeconds: text",
    ask: query("watch=true&timeoutSeconds=soon"),
    ...badRequest(/strconv.ParseInt: parsing "soon": invalid syntax/),
  },
  {
    name: "continue: nonsense",
    ask: query("limit=1&continue=nonsense"),
    ...badRequest(/^continue key is not valid: /),
  },
  {
    name: "continue: with a resourceVersion",
    ask: query("limit=1&resourceVersion=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJiYWQAYSJ9"),
    ...badRequest("specifying resource version is not allowed when using continue"),
  },
  {
    name: "resourceVersion: text",
    ask: query("resourceVersion=abc"),
    ...badRequest(/resourceVersion: Invalid value: "abc": /),
  },
  {
    name: "resourceVersion: in the future",
    ask: query("resourceVersion=9000000000000"),
    ...refused(504, "Timeout", /^Timeout: Too large resource version: 9000000000000, current: \d+$/),
  },
  {
    name: "resourceVersion of a watch: text",
    ask: query("watch=true&resourceVersion=abc&timeoutSeconds=1"),
    ...refused(500, "", 'strconv.ParseUint: parsing "abc": invalid syntax'),
  },
  {
    name: "resourceVersionMatch alone",
    ask: query("resourceVersionMatch=Exact"),
    ...invalid(
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ),
  },
  {
    name: "resourceVersionMatch: unknown",
    ask: query("resourceVersion=1&resourceVersionMatch=Roughly"),
    ...invalid(
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Roughly": supported values: "Exact", "NotOlderThan", ""',
    ),
  },
  {
    name: "sendInitialEvents without match",
    ask: query("watch=true&sendInitialEvents=true&timeoutSeconds=1"),
    ...invalid(
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ),
  },
];

const PAGE = refused(404, "", "404 page not found\n");
const UNKNOWN = refused(404, "NotFound", "the server could not find the requested resource");
const METHOD = refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
const places: Row[] = [
  { name: "unknown resource", ask: "GET /api/v1/namespaces/bad/nothings", ...UNKNOWN },
  { name: "unknown version", ask: "GET /apis/apps/v9/deployments", ...PAGE },
  { name: "unknown group", ask: "GET /apis/none.example.com/v1/things", ...PAGE },
  { name: "unknown path", ask: "GET /nowhere", ...PAGE },
  { name: "unknown subresource", ask: `GET ${PODS}/p/nothing`, ...UNKNOWN },
  {
    name: "a path in a wrong escape",
    ask: `GET ${CONFIG_MAPS}/%ff`,
    ...refused(404, "NotFound", /^configmaps ".*" not found$/),
  },
  {
    name: "a path that climbs",
    ask: `GET ${CONFIG_MAPS}/..%2f..%2fsecrets`,
    ...refused(404, "NotFound", 'configmaps "../../secrets" not found'),
  },
  { name: "a cluster's name that is none", ask: "GET /clusters/A_B/api", ...UNKNOWN },
  { name: "POST to an object", ask: `POST ${A}`, body: configMap({ name: "a" }), ...METHOD },
  { name: "PUT to a collection", ask: `PUT ${CONFIG_MAPS}`, body: {}, ...METHOD },
  { name: "PATCH of a collection", ask: `PATCH ${CONFIG_MAPS}`, headers: merge, body: {}, ...METHOD },
  { name: "OPTIONS", ask: `OPTIONS ${CONFIG_MAPS}`, ...METHOD },
  { name: "POST to discovery", ask: "POST /apis", body: {}, ...METHOD },
  {
    name: "a body of a type that is none",
    ask: `POST ${CONFIG_MAPS}`,
    headers: type("text/html"),
    body: "<p>",
    ...refused(
      415,
      "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    ),
  },
  {
    name: "an Accept that is none",
    ask: `GET ${A}`,
    headers: { accept: "text/plain" },
    ...refused(406, "NotAcceptable", /^406: Not Acceptable\n\nAvailable representations: application\/json, /),
  },
  {
    name: "a Table of a version that is none",
    ask: `GET ${A}`,
    headers: { accept: "application/json;as=Table;v=v9;g=meta.k8s.io" },
    ...refused(406, "NotAcceptable", "only the following media types are accepted: application/json, application/yaml"),
  },
  {
    name: "includeObject of no known kind",
    ask: `GET ${A}?includeObject=All`,
    ...badRequest('unrecognized includeObject value: "All"'),
  },
  { name: "a control socket without a name", ask: "GET /link/", ...PAGE },
  { name: "a join without a token", ask: "POST /skerry/join", body: { name: "n" }, ...badRequest("token is required") },
  {
    name: "a join that is no JSON",
    ask: "POST /skerry/join",
    body: "{",
    ...badRequest("unexpected end of JSON input"),
  },
  {
    name: "a join token that lives for ever",
    ask: "POST /skerry/tokens",
    body: { ttlSeconds: 1e12 },
    ...badRequest("ttlSeconds must be a number above 0 and at most 31536000"),
  },
  { name: "a relay without a stream", ask: "GET /relay/node-a/nothing", ...refused(426, "", "upgrade required") },
];

const streams: Row[] = [
  {
    name: "exec: of no pod",
    ask: `POST ${PODS}/none/exec?command=ls`,
    ...refused(404, "NotFound", 'pods "none" not found'),
  },
  {
    name: "exec: no command",
    ask: `POST ${PODS}/p/exec`,
    ...invalid('PodExecOptions "p" is invalid: command: Required value'),
  },
  {
    name: "exec: no streams",
    ask: `POST ${PODS}/p/exec?command=ls&stdout=false&stderr=false`,
    ...invalid(/at least one of stdin, stdout, stderr must be specified/),
  },
  {
    name: "exec: unknown container",
    ask: `POST ${PODS}/p/exec?command=ls&container=z`,
    ...badRequest("container z is not valid for pod p"),
  },
  {
    name: "exec: a pod on no node",
    ask: `POST ${PODS}/p/exec?command=ls`,
    ...badRequest("pod p does not have a host assigned"),
  },
  {
    name: "attach: a pod on no node",
    ask: `POST ${PODS}/p/attach`,
    ...badRequest("pod p does not have a host assigned"),
  },
  {
    name: "port-forward: a pod on no node",
    ask: `POST ${PODS}/p/portforward?ports=80`,
    ...badRequest("pod p does not have a host assigned"),
  },
  {
    name: "log: unknown container",
    ask: `GET ${PODS}/p/log?container=z`,
    ...badRequest("container z is not valid for pod p"),
  },
  {
    name: "log: negative tail",
    ask: `GET ${PODS}/p/log?tailLines=-1`,
    ...invalid('PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0'),
  },
  {
    name: "log: tail that is none",
    ask: `GET ${PODS}/p/log?tailLines=all`,
    ...badRequest(/strconv.ParseInt: parsing "all": invalid syntax/),
  },
  {
    name: "log: no bytes",
    ask: `GET ${PODS}/p/log?limitBytes=0`,
    ...invalid('PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0'),
  },
  {
    name: "log: since two times",
    ask: `GET ${PODS}/p/log?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z`,
    ...invalid(/at most one of `sinceTime` or `sinceSeconds` may be specified/),
  },
  {
    name: "log: since a time that is none",
    ask: `GET ${PODS}/p/log?sinceTime=yesterday`,
    ...badRequest(/parsing time "yesterday"/),
  },
  {
    name: "binding to no node's name",
    ask: `POST ${PODS}/p/binding`,
    body: { metadata: { name: "p" }, target: {} },
    ...invalid(/target.name: Required value/),
  },
  {
    name: "eviction of another name",
    ask: `POST ${PODS}/p/eviction`,
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "q" } },
    ...badRequest(/name in URL does not match name in Eviction object|does not match/),
  },
  {
    name: "a ServiceAccount's token for 5 seconds",
    ask: "POST /api/v1/namespaces/bad/serviceaccounts/default/token",
    body: { spec: { expirationSeconds: 5 } },
    ...invalid(
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
    ),
  },
];

export const requests: Record<string, Row[]> = { patches, queries, places, streams };
