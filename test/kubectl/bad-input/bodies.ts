/** Bodies that are not what they say: syntax and types. */
import {
  badRequest,
  CONFIG_MAPS,
  configMap,
  DEPLOYMENTS,
  deployment,
  invalid,
  PODS,
  pod,
  podWith,
  type Row,
} from "./row.ts";

const create = `POST ${CONFIG_MAPS}`;
const yaml = { "content-type": "application/yaml" };
const UNREAD_YAML = /^the object provided is unrecognized \(must be of type ConfigMap\): yaml: /;
const protobuf = { "content-type": "application/vnd.kubernetes.protobuf" };
const unrecognized = (why: string, shown: string) =>
  badRequest(`the object provided is unrecognized (must be of type ConfigMap): ${why} (${shown})`);
const unreadable = (why: string, shown: string) =>
  unrecognized(`couldn't get version/kind; json parse error: ${why}`, shown);
const STRUCT = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
const yamlBomb = () =>
  [..."bcdefgh"].reduce(
    (text, name, i) => `${text}${name}: &${name} [${Array(10).fill(`*${"abcdefg"[i]}`).join()}]\n`,
    "a: &a [x]\n",
  );

const syntax: Row[] = [
  { name: "empty", ask: create, body: "", ...unreadable("unexpected end of JSON input", "<empty>") },
  { name: "half", ask: create, body: '{"kind":', ...unreadable("unexpected end of JSON input", '{"kind":') },
  {
    name: "bare key",
    ask: create,
    body: "{kind: ConfigMap}",
    ...unreadable("invalid character 'k' looking for beginning of object key string", "{kind: ConfigMap}"),
  },
  {
    name: "trailing comma",
    ask: create,
    body: '{"kind":"ConfigMap",}',
    ...unreadable("invalid character '}' looking for beginning of object key string", '{"kind":"ConfigMap",}'),
  },
  {
    name: "two documents",
    ask: create,
    body: '{"kind":"ConfigMap"} {"kind":"ConfigMap"}',
    ...unreadable("invalid character '{' after top-level value", '{"kind":"ConfigMap"} {"kind":" ...'),
  },
  {
    name: "not a number",
    ask: create,
    body: '{"kind":NaN}',
    ...unreadable("invalid character 'N' looking for beginning of value", '{"kind":NaN}'),
  },
  {
    name: "HTML",
    ask: create,
    body: "<html>",
    ...unreadable("invalid character '<' looking for beginning of value", "3c68746d6c3e"),
  },
  {
    name: "a list",
    ask: create,
    body: "[]",
    ...unreadable(`json: cannot unmarshal array into Go value of type ${STRUCT}`, "5b5d"),
  },
  {
    name: "a string",
    ask: create,
    body: '"a"',
    ...unreadable(`json: cannot unmarshal string into Go value of type ${STRUCT}`, "226122"),
  },
  {
    name: "null",
    ask: create,
    body: "null",
    ...invalid('ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'),
  },
  {
    name: "bytes that are no UTF-8",
    ask: create,
    body: Buffer.from([0xff, 0xfe]),
    ...badRequest(/^the object provided is unrecognized .* invalid character '.' looking for beginning of value/),
  },
  {
    name: "NUL bytes",
    ask: create,
    body: Buffer.alloc(4),
    ...unreadable("invalid character '\\x00' looking for beginning of value", "00000000"),
  },
  {
    name: "lists within lists, 100,000 deep",
    ask: create,
    body: `${"[".repeat(1e5)}${"]".repeat(1e5)}`,
    ...badRequest(/invalid character '\[' exceeded max depth/),
  },
  {
    name: "a million open objects",
    ask: create,
    body: '{"a":'.repeat(6e5),
    ...badRequest(/invalid character '{' exceeded max depth/),
  },
  {
    name: "a revision whose data nests 100,000 deep",
    ask: "POST /apis/apps/v1/namespaces/bad/controllerrevisions",
    body: `{"metadata":{"name":"x"},"revision":1,"data":${'{"a":'.repeat(1e5)}1${"}".repeat(1e5)}}`,
    ...badRequest(/^the object provided is unrecognized \(must be of type ControllerRevision\): .*exceeded max depth/),
  },
  {
    name: "YAML with a tab",
    ask: create,
    body: "kind: ConfigMap\n\tmetadata: {}",
    headers: yaml,
    ...badRequest(UNREAD_YAML),
  },
  {
    name: "YAML that does not close",
    ask: create,
    body: "metadata: {name: [",
    headers: yaml,
    ...badRequest(UNREAD_YAML),
  },
  {
    name: "YAML whose aliases grow without end",
    ask: create,
    body: yamlBomb(),
    headers: yaml,
    ...badRequest(UNREAD_YAML),
  },
  {
    name: "YAML of several documents",
    ask: create,
    body: "a: 1\n---\nb: 2\n",
    headers: yaml,
    ...invalid('ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'),
  },
  { name: "YAML nested 5,000 deep", ask: create, body: "[".repeat(5000), headers: yaml, ...badRequest(UNREAD_YAML) },
  {
    name: "protobuf without its magic bytes",
    ask: create,
    body: "k8s",
    headers: protobuf,
    ...badRequest(/^the object provided is unrecognized \(must be of type ConfigMap\): .* \(6b3873\)$/),
  },
  {
    name: "protobuf cut short",
    ask: create,
    body: Buffer.from([0x6b, 0x38, 0x73, 0, 0x0a, 0xff, 0xff, 0xff]),
    headers: protobuf,
    ...badRequest(/^the object provided is unrecognized \(must be of type ConfigMap\): /),
  },
];

const types: Row[] = [
  {
    name: "a number for text",
    ask: create,
    body: configMap({ name: "x" }, { data: { k: 1 } }),
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ),
  },
  {
    name: "text for a map",
    ask: create,
    body: configMap({ name: "x", labels: "app=x" }),
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string',
    ),
  },
  {
    name: "text for an object",
    ask: create,
    body: { apiVersion: "v1", kind: "ConfigMap", metadata: "x" },
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta',
    ),
  },
  {
    name: "a number for a label",
    ask: create,
    body: configMap({ name: "x", labels: { a: 1 } }),
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ),
  },
  {
    name: "text for a number",
    ask: `POST ${DEPLOYMENTS}`,
    body: deployment({ replicas: "three" }),
    ...badRequest(
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ),
  },
  {
    name: "a fraction for an integer",
    ask: `POST ${DEPLOYMENTS}`,
    body: deployment({ replicas: 1.5 }),
    ...badRequest(
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ),
  },
  {
    name: "an integer past its 32 bits",
    ask: `POST ${DEPLOYMENTS}`,
    body: deployment({ replicas: 2 ** 31 }),
    ...badRequest(
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ),
  },
  {
    name: "an object for a list",
    ask: `POST ${PODS}`,
    body: pod({ containers: { name: "c" } }),
    ...badRequest(
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ),
  },
  {
    name: "text for true",
    ask: `POST ${PODS}`,
    body: pod({ containers: [], hostNetwork: "yes" }),
    ...badRequest(
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
    ),
  },
  {
    name: "a time that is none",
    ask: create,
    body: configMap({ name: "x", creationTimestamp: "yesterday" }),
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
    ),
  },
  {
    name: "bytes that are no base64",
    ask: "POST /api/v1/namespaces/bad/secrets",
    body: { apiVersion: "v1", kind: "Secret", metadata: { name: "x" }, data: { k: "not base64!" } },
    ...badRequest('Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3'),
  },
  {
    name: "a quantity that is none",
    ask: `POST ${PODS}`,
    body: podWith({ resources: { limits: { memory: "lots" } } }),
    ...badRequest(
      `Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ),
  },
  {
    name: "another kind",
    ask: create,
    body: { apiVersion: "v1", kind: "Secret", metadata: { name: "x" } },
    ...badRequest(
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    ),
  },
  {
    name: "another version",
    ask: create,
    body: { apiVersion: "v2", kind: "ConfigMap", metadata: { name: "x" } },
    ...badRequest(
      'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111"',
    ),
  },
  {
    name: "an apiVersion of three parts",
    ask: create,
    body: { apiVersion: "a/b/c", kind: "ConfigMap", metadata: { name: "x" } },
    ...unrecognized("unexpected GroupVersion string: a/b/c", '{"apiVersion":"a/b/c","kind":" ...'),
  },
  {
    name: "a number as kind",
    ask: create,
    body: { apiVersion: "v1", kind: 7 },
    ...unreadable(
      "json: cannot unmarshal number into Go struct field .kind of type string",
      '{"apiVersion":"v1","kind":7}',
    ),
  },
];

export const bodies: Record<string, Row[]> = { syntax, types };
