import { describe, expect, test } from "vitest";
import type { CoreV1Secret, CoreV1Service, NetworkingV1Ingress } from "../../worker/kinds/generated/types.ts";
import { CLASS_NAME, CONTROLLER, SCOPE_ANNOTATION, TRUSTED_ANNOTATION } from "../../worker/kinds/ingress/class.ts";
import { configOf, type IngressObjects } from "./config.ts";

const backend = { service: { name: "web", port: { name: "http" } } };

function ingress(change: Partial<NetworkingV1Ingress["spec"]> = {}, annotations = {}): NetworkingV1Ingress {
  const paths = [{ path: "/", pathType: "Prefix", backend }];
  return {
    metadata: { name: "web", namespace: "default", annotations },
    spec: { ingressClassName: CLASS_NAME, rules: [{ host: "a.com", http: { paths } }], ...change },
  };
}

const secret = (certificate: string, key: string): CoreV1Secret => ({
  metadata: {},
  data: { "tls.crt": btoa(certificate), "tls.key": btoa(key) },
});

const objects = (change: Partial<IngressObjects> = {}): IngressObjects => ({
  ingresses: [ingress()],
  classes: [{ metadata: { name: CLASS_NAME }, spec: { controller: CONTROLLER } }],
  services: new Map<string, CoreV1Service>([
    ["default/web", { metadata: {}, spec: { ports: [{ name: "http", port: 80 }] } }],
    ["other/web", { metadata: {}, spec: { ports: [{ name: "http", port: 81 }] } }],
  ]),
  slices: [
    {
      metadata: { namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080 }],
      endpoints: [{ addresses: ["10.244.0.2"], conditions: { ready: true } }],
    },
    {
      metadata: { namespace: "other", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 9090 }],
      endpoints: [{ addresses: ["10.244.0.3"], conditions: { ready: true } }],
    },
  ],
  secrets: new Map([["default/tls", secret("CERTIFICATE", "KEY")]]),
  ...change,
});

describe("what the proxy is told", () => {
  test("rules, and the endpoints of the Services that they name", () => {
    const config = configOf(objects(), { http: 80, https: 443 });
    expect(config?.ports).toEqual({ http: 80, https: 443 });
    expect(Object.keys(config?.routes.rules ?? {})).toEqual(["a.com"]);
    expect(config?.backends).toEqual({
      "default/web:http": { protocol: "http", endpoints: [{ address: "10.244.0.2", port: 8080 }] },
    });
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  test("nothing of a Service or port that is not there", () => {
    expect(configOf(objects({ services: new Map() }), {})?.backends).toEqual({});
  });

  test("the certificates that there are", () => {
    const tls = [
      { hosts: ["a.com"], secretName: "tls" },
      { hosts: ["b.com"], secretName: "missing" },
    ];
    expect(configOf(objects({ ingresses: [ingress({ tls })] }), {})?.certificates).toEqual([
      { secret: "default/tls", hosts: ["a.com"], certificate: "CERTIFICATE", key: "KEY" },
    ]);
  });

  test("whose word on clients is taken: the class says", () => {
    const annotations = { [TRUSTED_ANNOTATION]: "10.0.0.0/8, 192.0.2.1" };
    const classes = [{ metadata: { name: CLASS_NAME, annotations }, spec: { controller: CONTROLLER } }];
    expect(configOf(objects({ classes }), {})?.trusted).toEqual(["10.0.0.0/8", "192.0.2.1"]);
    expect(configOf(objects({ ingresses: [ingress({}, annotations)] }), {})?.trusted).toEqual([]);
  });
});

test("there is nothing to be told where nothing is served", () => {
  expect(configOf(objects({ ingresses: [] }), {})).toBeUndefined();
  expect(configOf(objects({ classes: [] }), {})).toBeUndefined();
  expect(configOf(objects({ ingresses: [ingress({}, { [SCOPE_ANNOTATION]: "edge" })] }), {})).toBeUndefined();
  expect(configOf(objects(), { http: 0, https: 0 })).toBeUndefined();
  expect(configOf(objects(), { http: 0 })).toBeDefined();
});
