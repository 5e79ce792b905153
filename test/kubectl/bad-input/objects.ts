/** Objects that say what must not be: names, labels, annotations, ports, selectors, references. */
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
  refused,
  SERVICES,
  service,
} from "./row.ts";

const create = `POST ${CONFIG_MAPS}`;
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const named = (name: string, why: string) =>
  invalid(`ConfigMap "${name}" is invalid: metadata.name: Invalid value: ${JSON.stringify(name)}: ${why}`);
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
      `ConfigMap "x" is invalid: metadata.labels: Invalid value: "${"b".repeat(64)}": must be no more than 63 characters`,
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
    ...badRequest('invalid resourceVersion "abc"'),
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

const podText = (why: string | RegExp) => invalid(typeof why === "string" ? `Pod "x" is invalid: ${why}` : why);
const specs: Row[] = [
  { name: "pod without containers", ask: `POST ${PODS}`, body: pod({}), ...podText("spec.containers: Required value") },
  {
    name: "two containers of one name",
    ask: `POST ${PODS}`,
    body: pod({
      containers: [
        { name: "c", image: "i" },
        { name: "c", image: "i" },
      ],
    }),
    ...podText('spec.containers[1].name: Duplicate value: "c"'),
  },
  {
    name: "container without an image",
    ask: `POST ${PODS}`,
    body: pod({ containers: [{ name: "c" }] }),
    ...podText("spec.containers[0].image: Required value"),
  },
  {
    name: "port 70000",
    ask: `POST ${PODS}`,
    body: podWith({ ports: [{ containerPort: 70_000 }] }),
    ...podText(
      "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
  },
  {
    name: "port protocol",
    ask: `POST ${PODS}`,
    body: podWith({ ports: [{ containerPort: 80, protocol: "ICMP" }] }),
    ...podText(
      'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ),
  },
  {
    name: "port name of 16 letters",
    ask: `POST ${PODS}`,
    body: podWith({ ports: [{ containerPort: 80, name: "a".repeat(16) }] }),
    ...podText(
      'spec.containers[0].ports[0].name: Invalid value: "aaaaaaaaaaaaaaaa": must be no more than 15 characters',
    ),
  },
  {
    name: "a request above its limit",
    ask: `POST ${PODS}`,
    body: podWith({ resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }),
    ...podText(
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ),
  },
  {
    name: "a negative quantity",
    ask: `POST ${PODS}`,
    body: podWith({ resources: { limits: { cpu: "-1" } } }),
    ...podText(
      /^Pod "x" is invalid: .*spec.containers\[0\].resources.limits\[cpu\]: Invalid value: "-1": must be greater than or equal to 0/,
    ),
  },
  {
    name: "restartPolicy",
    ask: `POST ${PODS}`,
    body: pod({ containers: [{ name: "c", image: "i" }], restartPolicy: "Sometimes" }),
    ...podText('spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'),
  },
  {
    name: "mount of no volume",
    ask: `POST ${PODS}`,
    body: podWith({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
    ...podText('spec.containers[0].volumeMounts[0].name: Not found: "v"'),
  },
  {
    name: "an env variable with a space",
    ask: `POST ${PODS}`,
    body: podWith({ env: [{ name: "A=B", value: "x" }] }),
    ...podText(/^Pod "x" is invalid: spec.containers\[0\].env\[0\].name: Invalid value: "A=B": /),
  },
  {
    name: "a ServiceAccount that is not there",
    ask: `POST ${PODS}`,
    body: pod({ serviceAccountName: "none", containers: [{ name: "c", image: "i" }] }),
    ...refused(
      403,
      "Forbidden",
      'pods "x" is forbidden: error looking up service account bad/none: serviceaccount "none" not found',
    ),
  },
  {
    name: "change of what is immutable",
    ask: `PATCH ${PODS}/p`,
    headers: { "content-type": "application/merge-patch+json" },
    body: { spec: { nodeName: "other", hostNetwork: true } },
    ...invalid(/^Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than/),
  },
  {
    name: "service without ports",
    ask: `POST ${SERVICES}`,
    body: service({}),
    ...invalid('Service "x" is invalid: spec.ports: Required value'),
  },
  {
    name: "service port 0",
    ask: `POST ${SERVICES}`,
    body: service({ ports: [{ port: 0 }] }),
    ...invalid(
      /^Service "x" is invalid: \[?spec.ports\[0\].port: Invalid value: 0: must be between 1 and 65535, inclusive/,
    ),
  },
  {
    name: "node port out of range",
    ask: `POST ${SERVICES}`,
    body: service({ type: "NodePort", ports: [{ port: 80, nodePort: 80 }] }),
    ...invalid(
      /^Service "x" is invalid: spec.ports\[0\].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767/,
    ),
  },
  {
    name: "clusterIP that is none",
    ask: `POST ${SERVICES}`,
    body: service({ clusterIP: "10.0.0", ports: [{ port: 80 }] }),
    ...invalid(/^Service "x" is invalid: .*spec.clusterIPs?(\[0\])?: Invalid value: "10.0.0": must be /),
  },
  {
    name: "clusterIP out of range",
    ask: `POST ${SERVICES}`,
    body: service({ clusterIP: "192.0.2.1", ports: [{ port: 80 }] }),
    ...invalid(
      /^Service "x" is invalid: spec.clusterIPs: Invalid value: \["192.0.2.1"\]: failed to allocate IP 192.0.2.1: the provided network does not match the current range/,
    ),
  },
  {
    name: "service of a type that is none",
    ask: `POST ${SERVICES}`,
    body: service({ type: "Magic", ports: [{ port: 80 }] }),
    ...invalid(
      /^Service "x" is invalid: spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"/,
    ),
  },
  {
    name: "a selector that misses its template",
    ask: `POST ${DEPLOYMENTS}`,
    body: deployment({ selector: { matchLabels: { app: "y" } } }),
    ...invalid(
      'Deployment.apps "x" is invalid: spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
    ),
  },
  {
    name: "no selector",
    ask: `POST ${DEPLOYMENTS}`,
    body: deployment({ selector: undefined }),
    ...invalid(/^Deployment.apps "x" is invalid: \[?spec.selector: Required value/),
  },
  {
    name: "a selector's operator",
    ask: `POST ${DEPLOYMENTS}`,
    body: deployment({
      selector: { matchLabels: { app: "x" }, matchExpressions: [{ key: "a", operator: "Like", values: ["b"] }] },
    }),
    ...invalid(
      /^Deployment.apps "x" is invalid: \[?spec.selector.matchExpressions\[0\].operator: Invalid value: "Like": not a valid selector operator/,
    ),
  },
  {
    name: "fewer than none",
    ask: `POST ${DEPLOYMENTS}`,
    body: deployment({ replicas: -1 }),
    ...invalid('Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'),
  },
  {
    name: "neither surge nor unavailability",
    ask: `POST ${DEPLOYMENTS}`,
    body: deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    ...invalid(
      'Deployment.apps "x" is invalid: spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
    ),
  },
  {
    name: "another selector than before",
    ask: `PATCH ${DEPLOYMENTS}/web`,
    headers: { "content-type": "application/merge-patch+json" },
    body: { spec: { selector: { matchLabels: { app: "y" } } } },
    ...invalid(/^Deployment.apps "web" is invalid: .*spec.selector: Invalid value: .*: field is immutable/),
  },
  {
    name: "a negative scale",
    ask: `PATCH ${DEPLOYMENTS}/web/scale`,
    headers: { "content-type": "application/merge-patch+json" },
    body: { spec: { replicas: -1 } },
    ...invalid(
      /^Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0/,
    ),
  },
  {
    name: "a role of no rules' verbs",
    ask: "POST /apis/rbac.authorization.k8s.io/v1/namespaces/bad/roles",
    body: { metadata: { name: "x" }, rules: [{ apiGroups: [""], resources: ["pods"], verbs: [] }] },
    ...invalid(
      'Role.rbac.authorization.k8s.io "x" is invalid: rules[0].verbs: Required value: verbs must contain at least one value',
    ),
  },
];

export const objects: Record<string, Row[]> = { names, metadata, specs };
