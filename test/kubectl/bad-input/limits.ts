/** Bodies with fields that are not there, or twice, and bodies that are too large. */
import {
  badRequest,
  CONFIG_MAPS,
  configMap,
  DEPLOYMENTS,
  invalid,
  PODS,
  pod,
  podWith,
  type Row,
  refused,
  SERVICES,
  service,
} from "./row.ts";

const ROW_LIMIT = refused(413, "RequestEntityTooLarge", "etcdserver: request is too large");
const BODY_LIMIT = refused(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
const create = `POST ${CONFIG_MAPS}`;
const yaml = { "content-type": "application/yaml" };
const MIB = 1024 * 1024;

const fields: Row[] = [
  {
    name: "unknown field, Strict",
    ask: `${create}?fieldValidation=Strict`,
    body: configMap({ name: "x" }, { dat: {} }),
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"',
    ),
  },
  {
    name: "unknown fields deep within, Strict",
    ask: `POST ${PODS}?fieldValidation=Strict`,
    body: pod({ containers: [{ name: "c", image: "i", comand: [], ports: [{ hostPrt: 1 }] }] }),
    ...badRequest(
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].comand", unknown field "spec.containers[0].ports[0].hostPrt"',
    ),
  },
  {
    name: "a field in other letters, Strict",
    ask: `${create}?fieldValidation=Strict`,
    body: configMap({ name: "x" }, { Data: {} }),
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "Data"',
    ),
  },
  {
    name: "duplicate field, Strict",
    ask: `${create}?fieldValidation=Strict`,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"k":"a","k":"b"}}',
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.k"',
    ),
  },
  {
    name: "duplicate field in YAML, Strict",
    ask: `${create}?fieldValidation=Strict`,
    body: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  k: a\n  k: b\n",
    headers: yaml,
    ...badRequest(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 7: key "k" already set in map',
    ),
  },
  {
    name: "fieldValidation of no known kind",
    ask: `${create}?fieldValidation=Loud`,
    body: configMap({ name: "x" }),
    ...invalid(
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loud": supported values: "", "Ignore", "Strict", "Warn"',
    ),
  },
  {
    name: "dryRun of no known kind",
    ask: `${create}?dryRun=Some`,
    body: configMap({ name: "x" }),
    ...invalid('CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"'),
  },
  {
    name: "fieldManager of 129 letters",
    ask: `${create}?fieldManager=${"m".repeat(129)}`,
    body: configMap({ name: "x" }),
    ...invalid('CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes'),
  },
  {
    name: "fieldManager that does not print",
    ask: `${create}?fieldManager=${encodeURIComponent("a\u0007b")}`,
    body: configMap({ name: "x" }),
    ...invalid(
      String.raw`CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\ab": invalid character U+0007 (at position 1)`,
    ),
  },
  {
    name: "a resourceVersion on what is to be created",
    ask: create,
    body: configMap({ name: "x", resourceVersion: "5" }),
    ...refused(500, "", "resourceVersion should not be set on objects to be created"),
  },
];

const sizes: Row[] = [
  {
    name: "a body above 3 MiB",
    ask: create,
    body: configMap({ name: "x" }, { data: { k: "x".repeat(3 * MIB) } }),
    ...BODY_LIMIT,
  },
  { name: "8 MiB of nothing", ask: create, body: Buffer.alloc(8 * MIB), ...BODY_LIMIT },
  {
    name: "a ConfigMap above 1 MiB",
    ask: create,
    body: configMap({ name: "x" }, { data: { k: "x".repeat(MIB + 1) } }),
    ...invalid('ConfigMap "x" is invalid: []: Too long: may not be more than 1048576 bytes'),
  },
  {
    name: "a Secret above 1 MiB",
    ask: "POST /api/v1/namespaces/bad/secrets",
    body: {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "x" },
      data: { k: Buffer.alloc(MIB + 1).toString("base64") },
    },
    ...invalid('Secret "x" is invalid: data: Too long: may not be more than 1048576 bytes'),
  },
  {
    name: "a pod past what a row holds",
    ask: `POST ${PODS}`,
    body: podWith({ args: ["x".repeat(2.2 * MIB)] }),
    ...ROW_LIMIT,
  },
  {
    name: "a pod of three-byte letters past what a row holds",
    ask: `POST ${PODS}`,
    body: podWith({ args: ["€".repeat(0.7 * MIB)] }),
    ...ROW_LIMIT,
  },
  {
    name: "a patch that makes the object too large",
    ask: `PATCH ${DEPLOYMENTS}/web`,
    headers: { "content-type": "application/merge-patch+json" },
    body: { spec: { template: { spec: { containers: [{ name: "c", image: "i", args: ["x".repeat(2 * MIB)] }] } } } },
    ...ROW_LIMIT,
  },
  {
    name: "annotations above 256 KiB",
    ask: create,
    body: configMap({ name: "x", annotations: { a: "x".repeat(256 * 1024) } }),
    ...invalid('ConfigMap "x" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes'),
  },
  {
    name: "20,000 labels",
    ask: create,
    body: configMap({
      name: "x",
      labels: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`${"l".repeat(58)}${i}`, "v"])),
    }),
    ...ROW_LIMIT,
  },
  {
    name: "20,000 unknown fields, Strict",
    ask: `${create}?fieldValidation=Strict`,
    body: configMap({ name: "x" }, Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f${i}`, 1]))),
    ...badRequest(
      /^ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "f0"/,
    ),
  },
  {
    name: "5,000 bad ports",
    ask: `POST ${SERVICES}`,
    body: service({ ports: Array.from({ length: 5000 }, () => ({ port: -1 })) }),
    ...invalid(/^Service "x" is invalid: \[spec.ports\[0\].name: Required value/),
  },
];

export const limits: Record<string, Row[]> = { fields, sizes };
