import { describe, expect, test } from "vitest";
import type { NetworkingV1Ingress, NetworkingV1IngressClass } from "../generated/types.ts";
import { CLASS_NAME, CONTROLLER, REDIRECT_ANNOTATION, SCOPE_ANNOTATION, TIMEOUT_ANNOTATION } from "./class.ts";
import { routeFor } from "./finding.ts";
import { certificatesOf, covers, hostName, namesHost, routesOf, servedIngresses } from "./routes.ts";

type Path = [type: "Exact" | "Prefix" | "ImplementationSpecific", path: string | undefined, service?: string];
type Given = {
  name?: string;
  created?: string;
  rules?: Record<string, Path[]>;
  fallback?: string;
  annotations?: Record<string, string>;
  spec?: Partial<NetworkingV1Ingress["spec"]>;
};

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });

function ingress({ name = "web", created = "2026-01-01T00:00:00Z", rules = {}, fallback, annotations, spec }: Given) {
  return {
    metadata: { name, namespace: "default", creationTimestamp: created, ...(annotations && { annotations }) },
    spec: {
      ...(fallback && { defaultBackend: backend(fallback) }),
      rules: Object.entries(rules).map(([host, paths]) => ({
        ...(host && { host }),
        http: {
          paths: paths.map(([pathType, path, service = `${pathType} ${path}`]) => ({
            ...(path !== undefined && { path }),
            pathType,
            backend: backend(service),
          })),
        },
      })),
      ...spec,
    },
  } as NetworkingV1Ingress;
}

/** The Service that a request is led to. */
const led = (ingresses: NetworkingV1Ingress[], host: string, path: string) =>
  routeFor(routesOf(ingresses), asking(host, path), 0)?.target?.service;

const asking = (host: string, path: string) => ({ host, path, method: "GET", query: "", header: () => undefined });

describe("path types, by the documented examples", () => {
  const cases: [rules: Path[], path: string, service: string | undefined][] = [
    [[["Prefix", "/"]], "/", "Prefix /"],
    [[["Prefix", "/"]], "/any/path/there/is", "Prefix /"],
    [[["Exact", "/foo"]], "/foo", "Exact /foo"],
    [[["Exact", "/foo"]], "/bar", undefined],
    [[["Exact", "/foo"]], "/foo/", undefined],
    [[["Exact", "/foo/"]], "/foo", undefined],
    [[["Exact", "/foo"]], "/Foo", undefined],
    [[["Prefix", "/foo"]], "/foo", "Prefix /foo"],
    [[["Prefix", "/foo"]], "/foo/", "Prefix /foo"],
    [[["Prefix", "/foo/"]], "/foo", "Prefix /foo/"],
    [[["Prefix", "/foo/"]], "/foo/", "Prefix /foo/"],
    [[["Prefix", "/foo"]], "/FOO", undefined],
    [[["Prefix", "/aaa/bb"]], "/aaa/bbb", undefined],
    [[["Prefix", "/aaa/bbb"]], "/aaa/bbb", "Prefix /aaa/bbb"],
    [[["Prefix", "/aaa/bbb/"]], "/aaa/bbb", "Prefix /aaa/bbb/"],
    [[["Prefix", "/aaa/bbb"]], "/aaa/bbb/", "Prefix /aaa/bbb"],
    [[["Prefix", "/aaa/bbb"]], "/aaa/bbb/ccc", "Prefix /aaa/bbb"],
    [[["Prefix", "/aaa/bbb"]], "/aaa/bbbxyz", undefined],
    [
      [
        ["Prefix", "/"],
        ["Prefix", "/aaa"],
      ],
      "/aaa/ccc",
      "Prefix /aaa",
    ],
    [
      [
        ["Prefix", "/"],
        ["Prefix", "/aaa"],
        ["Prefix", "/aaa/bbb"],
      ],
      "/aaa/bbb",
      "Prefix /aaa/bbb",
    ],
    [
      [
        ["Prefix", "/"],
        ["Prefix", "/aaa"],
        ["Prefix", "/aaa/bbb"],
      ],
      "/aaa/bbbb",
      "Prefix /aaa",
    ],
    [
      [
        ["Prefix", "/"],
        ["Prefix", "/aaa"],
        ["Prefix", "/aaa/bbb"],
      ],
      "/ccc",
      "Prefix /",
    ],
    [[["Prefix", "/aaa"]], "/ccc", undefined],
    [
      [
        ["Prefix", "/foo"],
        ["Exact", "/foo"],
      ],
      "/foo",
      "Exact /foo",
    ],
    [
      [
        ["Prefix", "/foo/"],
        ["Exact", "/foo"],
      ],
      "/foo",
      "Exact /foo",
    ],
    [
      [
        ["Prefix", "/foo"],
        ["Exact", "/foo"],
      ],
      "/foo/bar",
      "Prefix /foo",
    ],
    [
      [
        ["Prefix", "/foo/bar"],
        ["Exact", "/foo"],
      ],
      "/foo/bar",
      "Prefix /foo/bar",
    ],
    [[["ImplementationSpecific", "/foo"]], "/foo/bar", "ImplementationSpecific /foo"],
    [[["ImplementationSpecific", "/foo"]], "/foobar", undefined],
    [[["ImplementationSpecific", undefined]], "/any", "ImplementationSpecific undefined"],
  ];
  test.each(cases)("%j: %s → %s", (rules, path, service) => {
    expect(led([ingress({ rules: { "": rules } })], "any.example.com", path)).toBe(service);
  });
});

describe("hosts", () => {
  const all: Path[] = [["Prefix", "/"]];
  test.each([
    ["*.foo.com", "bar.foo.com", true],
    ["*.foo.com", "baz.bar.foo.com", false],
    ["*.foo.com", "foo.com", false],
    ["*.FOO.com", "bar.foo.com", true],
    ["bar.foo.com", "bar.foo.com", true],
    ["bar.foo.com", "foo.com", false],
    ["bar.foo.com", "x.bar.foo.com", false],
    ["", "whatever", true],
    ["", "", true],
  ])("%j of a rule, %j of a request: %s", (rule, host, isMet) => {
    expect(led([ingress({ rules: { [rule]: all } })], host, "/")).toBe(isMet ? "Prefix /" : undefined);
    expect(namesHost(routesOf([ingress({ rules: { [rule]: all } })]), host)).toBe(isMet && rule !== "");
  });

  test("the nearest name goes first, and others serve what it has no path for", () => {
    const rules: Record<string, Path[]> = {
      "": [["Prefix", "/", "any"]],
      "*.foo.com": [["Prefix", "/wild", "wild"]],
      "bar.foo.com": [["Prefix", "/bar", "bar"]],
    };
    const found = (host: string, path: string) => led([ingress({ rules })], host, path);
    expect(found("bar.foo.com", "/bar")).toBe("bar");
    expect(found("bar.foo.com", "/wild")).toBe("wild");
    expect(found("bar.foo.com", "/else")).toBe("any");
    expect(found("qux.foo.com", "/bar")).toBe("any");
  });

  test("a host is compared without its port, the root's dot and its case", () => {
    expect(["Foo.com:8080", "foo.com.", "FOO.COM", "foo.com:"].map(hostName)).toEqual(Array(4).fill("foo.com"));
    expect(covers("*.foo.com", "a.foo.com")).toBe(true);
    expect(covers("foo.com", "foo.com")).toBe(false);
  });

  test("names that objects have from birth are no hosts", () => {
    expect(led([ingress({ rules: { "a.com": all } })], "constructor", "/")).toBeUndefined();
    expect(led([ingress({ rules: { "a.com": all } })], "__proto__", "/")).toBeUndefined();
  });
});

describe("several Ingresses", () => {
  test("add up, and of two that say the same the older one counts", () => {
    const older = ingress({ name: "z", rules: { "a.com": [["Prefix", "/", "older"]] } });
    const newer = ingress({
      name: "a",
      created: "2026-02-01T00:00:00Z",
      rules: {
        "a.com": [
          ["Prefix", "/", "newer"],
          ["Prefix", "/new", "new"],
        ],
      },
    });
    const sorted = servedIngresses(
      [newer, older].map((each) => ofClass(each)),
      [ours()],
      "lan",
    );
    expect(sorted.map(({ metadata }) => metadata?.name)).toEqual(["z", "a"]);
    expect(led(sorted, "a.com", "/")).toBe("older");
    expect(led(sorted, "a.com", "/new/x")).toBe("new");
  });

  test("a default backend is for its Ingress' hosts, then for what no rule names; without one nothing matches", () => {
    const first = ingress({ name: "a", rules: { "a.com": [["Exact", "/x"]] }, fallback: "of-a" });
    const second = ingress({ name: "b", rules: { "b.com": [["Exact", "/x"]] }, fallback: "of-b" });
    expect(led([first, second], "a.com", "/y")).toBe("of-a");
    expect(led([first, second], "b.com", "/y")).toBe("of-b");
    expect(led([first, second], "c.com", "/y")).toBe("of-a");
    expect(led([ingress({ fallback: "alone" })], "c.com", "/y")).toBe("alone");
    expect(led([ingress({ rules: { "a.com": [["Exact", "/x"]] } })], "a.com", "/y")).toBeUndefined();
    expect(led([], "a.com", "/")).toBeUndefined();
  });

  test("a host without paths leads to the default backend", () => {
    const spec = { rules: [{ host: "a.com" }] };
    expect(led([ingress({ fallback: "rest", spec })], "a.com", "/any")).toBe("rest");
    expect(led([ingress({ spec })], "a.com", "/any")).toBeUndefined();
  });

  test("resource backends are passed over", () => {
    const resource = { apiGroup: "example.com", kind: "Bucket", name: "b" };
    const paths = [{ path: "/", pathType: "Prefix", backend: { resource } }];
    expect(led([ingress({ spec: { rules: [{ http: { paths } }] } })], "a.com", "/")).toBeUndefined();
  });
});

const ours = (change: Partial<NetworkingV1IngressClass> = {}, name = CLASS_NAME): NetworkingV1IngressClass => ({
  metadata: { name },
  spec: { controller: CONTROLLER },
  ...change,
});

const ofClass = (object: NetworkingV1Ingress, name = CLASS_NAME): NetworkingV1Ingress => ({
  ...object,
  spec: { ...object.spec, ingressClassName: name },
});

describe("classes", () => {
  const served = (object: NetworkingV1Ingress, classes: NetworkingV1IngressClass[], scope: "lan" | "edge" = "lan") =>
    servedIngresses([object], classes, scope).length === 1;

  test("an Ingress names a class of ours, in either way", () => {
    expect(served(ofClass(ingress({})), [ours()])).toBe(true);
    expect(served(ofClass(ingress({}), "mine"), [ours(), ours({}, "mine")])).toBe(true);
    expect(served(ingress({ annotations: { "kubernetes.io/ingress.class": CLASS_NAME } }), [ours()])).toBe(true);
    expect(served(ingress({}), [ours()])).toBe(false);
    expect(served(ofClass(ingress({}), "nginx"), [ours()])).toBe(false);
    expect(served(ofClass(ingress({})), [ours({ spec: { controller: "k8s.io/nginx" } })])).toBe(false);
    expect(served(ofClass(ingress({})), [])).toBe(false);
  });

  test("it may be kept to one place, by itself or by its class", () => {
    const lan = ofClass(ingress({ annotations: { [SCOPE_ANNOTATION]: "lan" } }));
    expect([served(lan, [ours()], "lan"), served(lan, [ours()], "edge")]).toEqual([true, false]);
    const edge = ours({ metadata: { name: CLASS_NAME, annotations: { [SCOPE_ANNOTATION]: "edge" } } });
    const plain = ofClass(ingress({}));
    expect([served(plain, [edge], "lan"), served(plain, [edge], "edge")]).toEqual([false, true]);
    expect([served(lan, [edge], "lan"), served(lan, [edge], "edge")]).toEqual([false, false]);
  });
});

describe("what goes with a route", () => {
  test("redirects are for hosts that have a certificate, when asked for", () => {
    const annotations = { [REDIRECT_ANNOTATION]: "true" };
    const rules: Record<string, Path[]> = { "a.com": [["Prefix", "/"]], "b.com": [["Prefix", "/"]] };
    const redirects = (given: Given, host: string) =>
      routeFor(routesOf([ingress(given)]), asking(host, "/"), 0)?.redirects;
    const tls = [{ hosts: ["a.com"], secretName: "s" }];
    expect(redirects({ rules, annotations, spec: { tls } }, "a.com")).toBe(true);
    expect(redirects({ rules, annotations, spec: { tls } }, "b.com")).toBeUndefined();
    expect(redirects({ rules, spec: { tls } }, "a.com")).toBeUndefined();
    expect(redirects({ rules, annotations, spec: { tls: [{ secretName: "s" }] } }, "b.com")).toBe(true);
    expect(redirects({ rules, annotations, spec: { tls: [{ hosts: ["*.com"] }] } }, "b.com")).toBe(true);
  });

  test("how long an answer may take", () => {
    const timeout = (text?: string) =>
      routeFor(
        routesOf([ingress({ fallback: "x", ...(text && { annotations: { [TIMEOUT_ANNOTATION]: text } }) })]),
        asking("", "/"),
        0,
      )?.timeoutMs;
    expect([undefined, "5", "0", "soon", "-1"].map(timeout)).toEqual([60_000, 5_000, 0, 60_000, 60_000]);
  });

  test("which certificates there are", () => {
    const spec = { tls: [{ hosts: ["A.com", "*.b.com"], secretName: "s" }, { hosts: ["c.com"] }, { secretName: "t" }] };
    expect(certificatesOf([ingress({ spec })])).toEqual([
      { namespace: "default", secret: "s", hosts: ["a.com", "*.b.com"] },
      { namespace: "default", secret: "t", hosts: [] },
    ]);
  });
});

test("lists that are written as null are empty ones", () => {
  const written = { ingressClassName: CLASS_NAME, rules: null, tls: [{ hosts: null, secretName: "s" }] };
  const object = { metadata: { name: "web", namespace: "default" }, spec: written } as unknown as NetworkingV1Ingress;
  expect(routesOf([object])).toEqual({ rules: {}, defaults: {} });
  expect(certificatesOf([object])).toEqual([{ namespace: "default", secret: "s", hosts: [] }]);
  const rules = [
    { host: "a.com", http: { paths: null } },
    { host: "b.com", http: null },
  ];
  const other = { ...object, spec: { rules, tls: null } } as unknown as NetworkingV1Ingress;
  expect(led([other], "a.com", "/")).toBeUndefined();
});
