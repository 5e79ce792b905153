import { beforeEach, expect, test } from "vitest";
import { CLASS_NAME, CONTROLLER, SCOPE_ANNOTATION } from "../kinds/ingress/class.ts";
import type { KubeObject } from "../lib/object.ts";
import { INGRESS_CLASSES, INGRESSES } from "../protocol/link.ts";
import type { Write } from "./downlink.ts";
import { IngressSecrets } from "./ingress-secrets.ts";

const objects = new Map<string, KubeObject>();
const of = (resource: string) =>
  [...objects].flatMap(([key, object]) => (key.startsWith(`${resource}/`) ? [object] : []));
let secrets: IngressSecrets;

function put(resource: string, name: string, object: object, namespace = "default"): Write {
  const key = `${resource}/${namespace}/${name}`;
  const old = objects.get(key);
  const whole = { metadata: { name, namespace }, ...object } as KubeObject;
  objects.set(key, whole);
  return { resource, namespace, name, object: whole, old };
}

const ingress = (name: string, secretNames: string[], scope?: string): Write =>
  put(INGRESSES, name, {
    metadata: { name, namespace: "default", ...(scope && { annotations: { [SCOPE_ANNOTATION]: scope } }) },
    spec: { ingressClassName: CLASS_NAME, tls: secretNames.map((secretName) => ({ secretName })) },
  });
const secret = (name: string, type = "kubernetes.io/tls", namespace = "default") =>
  put("secrets", name, { type }, namespace);
const told = (changes: readonly { name: string }[]) => changes.map(({ name }) => name);

beforeEach(() => {
  objects.clear();
  put(INGRESS_CLASSES, CLASS_NAME, { spec: { controller: CONTROLLER } }, "");
  secrets = new IngressSecrets({
    get: (resource, namespace, name) => objects.get(`${resource}/${namespace}/${name}`),
    list: (resource) => of(resource),
    podsOnNode: () => [],
    podsIn: () => [],
    volumesWithWork: () => [],
  });
});

test("nodes hear of certificates that Ingresses of ours name, and of no other Secret", () => {
  for (const name of ["named", "edge", "free"]) secret(name);
  secret("password", "Opaque");
  secret("named", "kubernetes.io/tls", "other");
  ingress("web", ["named", "password", "missing"]);
  ingress("far", ["edge"], "edge");
  expect(told(secrets.snapshot())).toEqual(["named"]);
  const has = (name: string, namespace = "default") => secrets.has({ resource: "secrets", namespace, name });
  expect(["named", "edge", "free", "password"].map((name) => has(name))).toEqual([true, false, false, false]);
  expect(has("named", "other")).toBe(false);
  expect(has("missing")).toBe(true); // that it is gone is told too
  expect(secrets.has({ resource: "configmaps", namespace: "default", name: "named" })).toBe(false);
});

test("a Secret is told of when an Ingress begins to name it, and to a node that missed that", () => {
  secret("a");
  secret("b");
  const first = ingress("web", ["a"]);
  expect(told(secrets.changed([first]))).toEqual(["a"]);
  const second = ingress("web", ["a", "b"]);
  expect(told(secrets.changed([second]))).toEqual(["b"]);
  expect(secrets.changed([second])).toEqual([]);
  expect(told(secrets.missed([second]))).toEqual(["a", "b"]);
  expect(secrets.missed([secret("a")])).toEqual([]);
});

test("a class that becomes ours brings what its Ingresses name", () => {
  secret("a");
  put(INGRESSES, "web", { spec: { ingressClassName: "mine", tls: [{ secretName: "a" }] } });
  expect(secrets.snapshot()).toEqual([]);
  const write = put(INGRESS_CLASSES, "mine", { spec: { controller: CONTROLLER } }, "");
  expect(told(secrets.changed([write]))).toEqual(["a"]);
  secrets.forget();
  expect(told(secrets.snapshot())).toEqual(["a"]);
});
