/** Specs that say what must not be: ports, quantities, selectors, references. */
import { DEPLOYMENTS, deployment, invalid, PODS, pod, podWith, type Row, refused, SERVICES, service } from "./row.ts";

const podText = (why: string | RegExp) => invalid(typeof why === "string" ? `Pod "x" is invalid: ${why}` : why);
export const specs: Row[] = [
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
