/** Requests that ask for what is not: methods, paths, media types, streams. */
import { badRequest, CONFIG_MAPS, configMap, invalid, PODS, type Row, refused } from "./row.ts";

const type = (name: string) => ({ "content-type": name });
const merge = type("application/merge-patch+json");
const A = `${CONFIG_MAPS}/a`;

const PAGE = refused(404, "", "404 page not found\n");
const UNKNOWN = refused(404, "NotFound", "the server could not find the requested resource");
const METHOD = refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
const places: Row[] = [
  { name: "unknown resource", ask: "GET /api/v1/namespaces/bad/nothings", ...UNKNOWN },
  { name: "unknown version", ask: "GET /apis/apps/v9/deployments", ...UNKNOWN },
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
    ...UNKNOWN,
  },
  { name: "a cluster's name that is none", ask: "GET /clusters/A_B/api", ...UNKNOWN },
  { name: "POST to an object", ask: `POST ${A}`, body: configMap({ name: "a" }), ...METHOD },
  { name: "PUT to a collection", ask: `PUT ${CONFIG_MAPS}`, body: {}, ...METHOD },
  { name: "PATCH of a collection", ask: `PATCH ${CONFIG_MAPS}`, headers: merge, body: {}, ...METHOD },
  { name: "OPTIONS", ask: `OPTIONS ${CONFIG_MAPS}`, ...METHOD },
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
    ...refused(
      406,
      "NotAcceptable",
      "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    ),
  },
  {
    name: "includeObject of no known kind",
    ask: `GET ${A}?includeObject=All`,
    headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    ...badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: "All": must be 'Metadata', 'Object', 'None', or empty`,
    ),
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
    ...refused(500, "", "target.name: Required value"),
  },
  {
    name: "eviction of another name",
    ask: `POST ${PODS}/p/eviction`,
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "q" } },
    ...badRequest("name in URL does not match name in Eviction object"),
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

export const requests: Record<string, Row[]> = { places, streams };
