/** Objects whose metadata says what must not be. */
import { badRequest, CONFIG_MAPS, configMap, invalid, PODS, type Row, refused, SERVICES, service } from "./row.ts";

const named = (name: string, why: string) =>
  invalid(`ConfigMap "${name}" is invalid: metadata.name: Invalid value: ${JSON.stringify(name)}: ${why}`);
const create = `POST ${CONFIG_MAPS}`;
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LONG = "a".repeat(254);
const HUGE = "a".repeat(1024 * 1024);

const names: Row[] = [
  {
    name: "none",
    ask: create,
    body: configMap({}),
    ...invalid('ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'),
  },
  { name: "capitals and _", ask: create, body: configMap({ name: "Not_Valid" }), ...named("Not_Valid", SUBDOMAIN) },
  { name: "a slash", ask: create, body: configMap({ name: "a/b" }), ...named("a/b", SUBDOMAIN) },
  { name: "two dots", ask: create, body: configMap({ name: ".." }), ...named("..", SUBDOMAIN) },
  {
    name: "254 letters",
    ask: create,
    body: configMap({ name: LONG }),
    ...named(LONG, "must be no more than 253 characters"),
  },
  {
    name: "a million letters",
    ask: create,
    body: configMap({ name: HUGE }),
    ...named(HUGE, "must be no more than 253 characters"),
  },
  {
    name: "a million letters in the path",
    ask: `GET ${CONFIG_MAPS}/${"a".repeat(10_000)}`,
    ...refused(404, "NotFound", /^configmaps "a{10000}" not found$/),
  },
  { name: "not ASCII", ask: create, body: configMap({ name: "größe" }), ...named("größe", SUBDOMAIN) },
  {
    name: "generateName that is none",
    ask: create,
    body: configMap({ generateName: "A-" }),
    ...invalid(/^ConfigMap "A-.{5}" is invalid: metadata.name: Invalid value: "A-/),
  },
  {
    name: "a Service's that begins with a digit",
    ask: `POST ${SERVICES}`,
    body: { ...service({ ports: [{ port: 80 }] }), metadata: { name: "1x" } },
    ...invalid(
      /^Service "1x" is invalid: metadata.name: Invalid value: "1x": a DNS-1035 label must consist of lower case/,
    ),
  },
  {
    name: "a Namespace's with a dot",
    ask: "POST /api/v1/namespaces",
    body: { metadata: { name: "a.b" } },
    ...invalid('Namespace "a.b" is invalid: metadata.name: Invalid value: "a.b": must not contain dots'),
  },
  {
    name: "another namespace than the path's",
    ask: create,
    body: configMap({ name: "x", namespace: "default" }),
    ...badRequest("the namespace of the provided object does not match the namespace sent on the request"),
  },
  {
    name: "another than the path's",
    ask: `PUT ${CONFIG_MAPS}/a`,
    body: configMap({ name: "b" }),
    ...badRequest("the name of the object (b) does not match the name on the URL (a)"),
  },
  {
    name: "taken",
    ask: create,
    body: configMap({ name: "a" }),
    ...refused(409, "AlreadyExists", 'configmaps "a" already exists'),
  },
  {
    name: "in a namespace that is not there",
    ask: "POST /api/v1/namespaces/none/configmaps",
    body: configMap({ name: "x" }),
    ...refused(404, "NotFound", 'namespaces "none" not found'),
  },
];

const metadata: Row[] = [
  {
    name: "label key",
    ask: create,
    body: configMap({ name: "x", labels: { "-a": "b" } }),
    ...invalid(`ConfigMap "x" is invalid: metadata.labels: Invalid value: "-a": ${QUALIFIED}`),
  },
  {
    name: "label value",
    ask: create,
    body: configMap({ name: "x", labels: { a: "b c" } }),
    ...invalid(`ConfigMap "x" is invalid: metadata.labels: Invalid value: "b c": ${LABEL_VALUE}`),
  },
  {
    name: "label value of 64 letters",
    ask: create,
    body: configMap({ name: "x", labels: { a: "b".repeat(64) } }),
    ...invalid(
      `ConfigMap "x" is invalid: metadata.labels: Invalid value: "${"b".repeat(64)}": must be no more than 63 bytes`,
    ),
  },
  {
    name: "annotation key",
    ask: create,
    body: configMap({ name: "x", annotations: { "/x": "y" } }),
    ...invalid('ConfigMap "x" is invalid: metadata.annotations: Invalid value: "/x": prefix part must be non-empty'),
  },
  {
    name: "owner without name and uid",
    ask: create,
    body: configMap({ name: "x", ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "", uid: "" }] }),
    ...invalid(
      'ConfigMap "x" is invalid: [metadata.ownerReferences.name: Invalid value: "": must not be empty, metadata.ownerReferences.uid: Invalid value: "": must not be empty]',
    ),
  },
  {
    name: "finalizer",
    ask: create,
    body: configMap({ name: "x", finalizers: ["no-domain!"] }),
    ...invalid(/^ConfigMap "x" is invalid: \[metadata.finalizers: Invalid value: "no-domain!": name part must consist/),
  },
  {
    name: "data key",
    ask: create,
    body: configMap({ name: "x" }, { data: { "bad/key": "v" } }),
    ...invalid(
      /^ConfigMap "x" is invalid: data\[bad\/key\]: Invalid value: "bad\/key": a valid config key must consist/,
    ),
  },
  {
    name: "key in data and binaryData",
    ask: create,
    body: configMap({ name: "x" }, { data: { k: "v" }, binaryData: { k: "dg==" } }),
    ...invalid('ConfigMap "x" is invalid: data[k]: Invalid value: "k": duplicate of key present in binaryData'),
  },
  {
    name: "an old resourceVersion",
    ask: `PUT ${CONFIG_MAPS}/a`,
    body: configMap({ name: "a", resourceVersion: "1" }),
    ...refused(
      409,
      "Conflict",
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    ),
  },
  {
    name: "a resourceVersion that is none",
    ask: `PUT ${CONFIG_MAPS}/a`,
    body: configMap({ name: "a", resourceVersion: "abc" }),
    ...refused(500, "", 'strconv.ParseUint: parsing "abc": invalid syntax'),
  },
  {
    name: "another uid",
    ask: `PUT ${CONFIG_MAPS}/a`,
    body: configMap({ name: "a", uid: "00000000-0000-4000-8000-000000000000" }),
    ...refused(
      409,
      "Conflict",
      /^Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: \/registry\/configmaps\/bad\/a, .* UID in precondition: 00000000-/,
    ),
  },
  {
    name: "delete of another uid",
    ask: `DELETE ${CONFIG_MAPS}/a`,
    body: { preconditions: { uid: "x" } },
    ...refused(
      409,
      "Conflict",
      /^Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition \(x\) does not match the UID in record \([-0-9a-f]{36}\)/,
    ),
  },
  {
    name: "delete sideways",
    ask: `DELETE ${CONFIG_MAPS}/a`,
    body: { propagationPolicy: "Sideways" },
    ...invalid(
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    ),
  },
  {
    name: "delete with options that are none",
    ask: `DELETE ${CONFIG_MAPS}/a`,
    body: "{",
    ...badRequest("couldn't get version/kind; json parse error: unexpected end of JSON input"),
  },
  {
    name: "delete with a grace period that is none",
    ask: `DELETE ${PODS}/p?gracePeriodSeconds=soon`,
    ...badRequest(/strconv.ParseInt: parsing "soon": invalid syntax/),
  },
  {
    name: "delete of nothing",
    ask: `DELETE ${CONFIG_MAPS}/none`,
    ...refused(404, "NotFound", 'configmaps "none" not found'),
  },
];

const alerts = (data: Record<string, string>) => ({
  ask: "POST /api/v1/namespaces/kube-system/configmaps",
  body: configMap({ name: "skerry-alerts" }, { data }),
});
const ALERTS = 'ConfigMap "skerry-alerts" is invalid: ';

const alerting: Row[] = [
  {
    name: "a receiver of no kind",
    ...alerts({ receivers: "- name: phone" }),
    ...invalid(`${ALERTS}data[receivers][0]: Required value: exactly one of webhook, ntfy, email`),
  },
  {
    name: "a rule that there is none of, and a time that is none",
    ...alerts({ rules: "node-offline: { for: soon }\nnodes: {}" }),
    ...invalid(
      /^ConfigMap "skerry-alerts" is invalid: \[data\[rules\].nodes: Unsupported value: "nodes": .*for: Invalid/,
    ),
  },
  {
    name: "an alias that grows without end",
    ...alerts({ silences: "- &a [x, x]\n- &b [*a, *a]" }),
    ...invalid(
      /^ConfigMap "skerry-alerts" is invalid: data\[silences\]: Invalid value: .*Alias resolution is disabled/,
    ),
  },
];

export const objects: Record<string, Row[]> = { names, metadata, alerting };
