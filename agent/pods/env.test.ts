import { describe, expect, test } from "vitest";
import type { CoreV1Container, CoreV1Service } from "../../worker/kinds/generated/types.ts";
import { type EnvSources, environment, expand, serviceEnv } from "./env.ts";
import { fieldValue, resourceValue } from "./fields.ts";
import { somePod } from "./testing.ts";

const pod = somePod({ serviceAccountName: "robot" }, { labels: { b: '2"', a: "1" } });
const allocatable = { cpu: "4", memory: "8Gi", "ephemeral-storage": "100Gi" };
const fields = {
  pod,
  podIPs: ["10.0.0.2", "fd00::2"],
  hostIPs: ["192.0.2.1", "2001:db8::1"],
  nodeName: "n1",
  allocatable,
};
const service = (name: string, namespace = "default", clusterIP = "10.96.0.7"): CoreV1Service => ({
  metadata: { name, namespace },
  spec: {
    clusterIP,
    ports: [
      { name: "web-ui", port: 80 },
      { port: 53, protocol: "UDP" },
    ],
  },
});
const sources: EnvSources = {
  fields,
  configMaps: new Map([["default/conf", { metadata: {}, data: { color: "blue", size: "9" } }]]),
  secrets: new Map([["default/key", { metadata: {}, data: { pass: btoa("s3cret") } }]]),
  services: [service("db")],
  volumeFile(volume, path) {
    const text = { ok: "A='1'\nB=''\n", bad: "A=1" }[path];
    const read = () => {
      if (text === undefined) throw new Error("ENOENT");
      return text;
    };
    return volume === "v" ? { place: `/volumes/v/${path}`, read } : undefined;
  },
};
const env = (container: Partial<CoreV1Container>) =>
  Object.fromEntries(environment(pod, { name: "app", ...container }, { ...sources, services: [] }));

describe("expansion", () => {
  const known = (name: string) => ({ A: "1", B: "$(A)" })[name];
  test.each([
    ["$(A)", "1"],
    ["x$(A)y$(A)", "x1y1"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$(MISSING)", "$(MISSING)"],
    ["$(B)", "$(A)"],
    ["$(A", "$(A"],
    ["$A $", "$A $"],
  ])("%s becomes %s", (text, expanded) => {
    expect(expand(text, known)).toBe(expanded);
  });
});

test("env goes over envFrom, and later names see earlier ones", () => {
  const made = env({
    envFrom: [{ configMapRef: { name: "conf" } }, { prefix: "K_", secretRef: { name: "key" } }],
    env: [
      { name: "color", value: "red" },
      { name: "BOTH", value: "$(color)-$(size)-$(K_pass)-$(LATER)" },
      { name: "LATER", value: "x" },
    ],
  });
  expect(made).toEqual({ color: "red", size: "9", K_pass: "s3cret", BOTH: "red-9-s3cret-$(LATER)", LATER: "x" });
});

test("what is missing is named, unless it is optional", () => {
  const from = (valueFrom: object) => () => env({ env: [{ name: "X", valueFrom }] });
  expect(from({ configMapKeyRef: { name: "no", key: "k" } })).toThrow('configmap "no" not found');
  expect(from({ secretKeyRef: { name: "no", key: "k" } })).toThrow('secret "no" not found');
  expect(from({ configMapKeyRef: { name: "conf", key: "k" } })).toThrow(
    "couldn't find key k in ConfigMap default/conf",
  );
  expect(from({ configMapKeyRef: { name: "no", key: "k", optional: true } })()).toEqual({});
  expect(env({ envFrom: [{ configMapRef: { name: "no", optional: true } }] })).toEqual({});
});

test("a variable may come from a file of a volume", () => {
  const from = (path: string, key: string, given: object = {}) =>
    env({ env: [{ name: "X", valueFrom: { fileKeyRef: { volumeName: "v", path, key, ...given } } }] });
  expect(from("ok", "A")).toEqual({ X: "1" });
  expect(from("ok", "C", { optional: true })).toEqual({});
  expect(() => from("ok", "B")).toThrow('environment variable key "B" not found in file "/volumes/v/ok"');
  expect(() => from("bad", "A", { optional: true })).toThrow("couldn't parse env file");
  expect(() => from("missing", "A", { optional: true })).toThrow("couldn't parse env file");
  expect(() => from("ok", "A", { volumeName: "w" })).toThrow('cannot find the volume "w" referenced by FileKeyRef');
});

test("resources are of a container that there is, and bounded by the pod's own limits before the node's", () => {
  const whole = somePod({ resources: { limits: { cpu: "500m" } } });
  const of = (containerName: string, resource: string) => ({
    name: "app",
    env: [{ name: "X", valueFrom: { resourceFieldRef: { containerName, resource, divisor: "1m" } } }],
  });
  const made = (containerName: string, resource: string) =>
    environment(whole, of(containerName, resource), { ...sources, services: [] }).get("X");
  expect(made("app", "limits.cpu")).toBe("500");
  expect(() => made("other", "limits.cpu")).toThrow("container other not found");
});

test("Services of the pod's namespace and the API server's own are links", () => {
  const services = [service("my-db"), service("other", "elsewhere"), service("headless", "default", "None")];
  const links = serviceEnv(pod, [...services, service("kubernetes", "default", "10.96.0.1")]);
  expect(links.get("MY_DB_SERVICE_HOST")).toBe("10.96.0.7");
  expect(links.get("MY_DB_SERVICE_PORT_WEB_UI")).toBe("80");
  expect(links.get("MY_DB_PORT")).toBe("tcp://10.96.0.7:80");
  expect(links.get("MY_DB_PORT_53_UDP_ADDR")).toBe("10.96.0.7");
  expect(links.get("KUBERNETES_SERVICE_HOST")).toBe("10.96.0.1");
  expect([...links.keys()].some((name) => name.startsWith("OTHER") || name.startsWith("HEADLESS"))).toBe(false);
});

test("without service links only the API server's Service is there", () => {
  const alone = somePod({ enableServiceLinks: false });
  const links = serviceEnv(alone, [service("db"), service("kubernetes")]);
  expect([...links.keys()].filter((name) => !name.startsWith("KUBERNETES_"))).toEqual([]);
  expect(links.has("KUBERNETES_SERVICE_HOST")).toBe(true);
});

test("fields of the pod", () => {
  const value = (fieldPath: string) => fieldValue({ fieldPath }, fields);
  expect(value("metadata.labels")).toBe('a="1"\nb="2\\""');
  const annotations = { a: "é\t\u0001\u200b\\😀 \x07" };
  const annotated = { ...fields, pod: somePod({}, { annotations }) };
  expect(fieldValue({ fieldPath: "metadata.annotations" }, annotated)).toBe('a="é\\t\\x01\\u200b\\\\😀 \\a"');
  expect(value("metadata.labels['a']")).toBe("1");
  expect(value("metadata.annotations['none']")).toBe("");
  expect(value("status.podIP")).toBe("10.0.0.2");
  expect(value("spec.serviceAccountName")).toBe("robot");
  expect(() => value("spec.unknown")).toThrow("unsupported fieldPath");
});

test("resources are divided and rounded up; a missing limit is what the node can give", () => {
  const container = { name: "app", resources: { requests: { cpu: "1500m" }, limits: { memory: "100Mi" } } };
  const value = (resource: string, divisor?: string) => resourceValue({ resource, divisor }, container, allocatable);
  expect(value("requests.cpu")).toBe("2");
  expect(value("requests.cpu", "1m")).toBe("1500");
  expect(value("limits.memory", "1Mi")).toBe("100");
  expect(value("limits.cpu")).toBe("4");
  expect(value("requests.memory")).toBe(`${100 * 1024 * 1024}`);
});
