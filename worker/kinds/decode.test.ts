import { expect, test } from "vitest";
import { decode, decodeObject } from "./decode.ts";
import { defineKind } from "./define-kind.ts";
import type { Kind } from "./kind.ts";
import type { Schema } from "./schema.ts";

const ConfigMap = defineKind({ schema: "io.k8s.api.core.v1.ConfigMap" });
const Deployment = defineKind({ schema: "io.k8s.api.apps.v1.Deployment" });
const Pod = defineKind({ schema: "io.k8s.api.core.v1.Pod" });
const Service = defineKind({ schema: "io.k8s.api.core.v1.Service" });

const decoded = (kind: Kind, body: Record<string, unknown>) => {
  decodeObject(kind, body, "Ignore");
  return body;
};
const refusal = (
  kind: Kind,
  fields: Record<string, unknown>,
  mode: "Strict" | "Warn" = "Warn",
  dups: string[] = [],
) => {
  try {
    decodeObject(kind, { apiVersion: kind.apiVersion, kind: kind.kind, ...fields }, mode, dups);
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
};

test("a value of a wrong type is named by its Go struct, path and type", () => {
  expect(refusal(Deployment, { spec: { replicas: "3" } })).toBe(
    'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  );
  const container = (fields: object) => refusal(Pod, { spec: { containers: [{ name: "c", ...fields }] } });
  expect(container({ imagePullPolicy: 1 })).toMatch(
    /cannot unmarshal number into Go struct field Container\.spec\.containers\.imagePullPolicy of type v1\.PullPolicy$/,
  );
  expect(container({ ports: [{ containerPort: 1.5 }] })).toMatch(
    /cannot unmarshal number 1\.5 into Go struct field ContainerPort\.spec\.containers\.ports\.containerPort of type int32$/,
  );
  expect(refusal(Pod, { spec: { containers: {} } })).toMatch(
    /cannot unmarshal object into Go struct field PodSpec\.spec\.containers of type \[\]v1\.Container$/,
  );
  expect(refusal(Pod, { spec: [] })).toMatch(/array into Go struct field Pod\.spec of type v1\.PodSpec$/);
  expect(refusal(ConfigMap, { data: { k: true } })).toMatch(
    /bool into Go struct field ConfigMap\.data of type string$/,
  );
});

test("scalars that cannot be read are refused in the words of their Go types", () => {
  const limits = { spec: { containers: [{ name: "c", resources: { limits: { cpu: "lots" } } }] } };
  expect(refusal(Pod, limits)).toMatch(/cannot be handled as a Pod: quantities must match the regular expression/);
  expect(refusal(ConfigMap, { binaryData: { k: "***" } })).toMatch(/: illegal base64 data at input byte 0$/);
  expect(refusal(ConfigMap, { metadata: { creationTimestamp: "x" } })).toMatch(/: parsing time "x" as /);
});

test("quantities, times and base64 take their normal form", () => {
  const pod = decoded(Pod, {
    spec: { containers: [{ name: "c", resources: { limits: { cpu: "1000m", memory: 1024, x: "1.5Gi" } } }] },
  });
  expect(pod).toEqual({
    spec: { containers: [{ name: "c", resources: { limits: { cpu: "1", memory: "1024", x: "1536Mi" } } }] },
  });
});

test("null and empty optional fields are absent; pointers and required fields keep what was set", () => {
  expect(
    decoded(Deployment, { metadata: { labels: {}, name: "" }, spec: { replicas: 0, paused: false, selector: null } }),
  ).toEqual({ metadata: {}, spec: { replicas: 0 } });
  expect(decoded(Pod, { spec: { containers: [], hostNetwork: false, automountServiceAccountToken: false } })).toEqual({
    spec: { containers: [], automountServiceAccountToken: false },
  });
});

test("null inside lists and maps becomes the zero value", () => {
  expect(decoded(ConfigMap, { data: { k: null } })).toEqual({ data: { k: "" } });
  expect(decoded(Pod, { spec: { containers: [null, { args: [null] }] } })).toEqual({
    spec: { containers: [{}, { args: [""] }] },
  });
});

test("an int-or-string keeps its type", () => {
  const ports = [
    { port: 1, targetPort: "web" },
    { port: 2, targetPort: 8080 },
  ];
  expect(decoded(Service, { spec: { ports: structuredClone(ports) } })).toEqual({ spec: { ports } });
  expect(refusal(Service, { spec: { ports: [{ targetPort: true }] } })).toMatch(
    /bool into Go struct field ServicePort\.spec\.ports\.targetPort of type int32$/,
  );
});

test("unknown fields are dropped, and told as the mode asks", () => {
  const body = () => ({ metadata: { lables: {} }, dat: { k: "v" }, Data: {}, data: { k: "v" } });
  const ignored = body();
  expect(decode(ConfigMap.schema, ignored, "Ignore")).toEqual([]);
  expect(ignored).toEqual({ metadata: {}, data: { k: "v" } });
  expect(decode(ConfigMap.schema, body(), "Warn", ["data.k", "dat.x"])).toEqual([
    'unknown field "metadata.lables"',
    'unknown field "dat"',
    'unknown field "Data"',
    'duplicate field "data.k"',
  ]);
  const nested = { spec: { containers: [{ imagePulPolicy: "", ports: [{ hostPrt: 1 }] }] } };
  expect(refusal(Pod, nested, "Strict")).toBe(
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imagePulPolicy", unknown field "spec.containers[0].ports[0].hostPrt"',
  );
});

test("a custom resource is pruned, but its types are left to validation", () => {
  const free: Schema = { type: "object", preserveUnknown: true };
  const spec: Schema = { type: "object", fields: { n: { type: "integer" }, free, map: { type: "map", items: free } } };
  const schema: Schema = { type: "object", fields: { metadata: ConfigMap.schema.fields?.metadata ?? free, spec } };
  const body = { other: 1, metadata: { labels: null }, spec: { n: "x", x: 2, free: { y: 3 }, map: { a: {} } } };
  expect(decode(schema, body, "Warn")).toEqual(['unknown field "other"', 'unknown field "spec.x"']);
  expect(body).toEqual({ metadata: {}, spec: { n: "x", free: { y: 3 }, map: { a: {} } } });
});

test("a body nested without end is refused, not a crash", () => {
  let props: Record<string, unknown> = {};
  for (let depth = 0; depth < 5000; depth++) props = { a: { properties: props } };
  const schema = ConfigMap.schema;
  const deep: Schema = {
    type: "object",
    name: "x",
    get fields() {
      return { a: deep, properties: deep };
    },
  };
  expect(() => decode({ ...schema, fields: { a: deep } }, props, "Ignore")).toThrow("exceeded max depth");
});
