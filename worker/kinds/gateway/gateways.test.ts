import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../lib/object.ts";
import { SCOPE_ANNOTATION } from "../ingress/class.ts";
import { routeFor } from "../ingress/finding.ts";
import type { Incoming } from "../ingress/matching.ts";
import { parentsOf } from "./attachments.ts";
import { Sources } from "./sources.ts";
import { gatewaysOf, tablesOf } from "./tables.ts";
import {
  CONTROLLER,
  GATEWAY_CLASSES,
  GATEWAYS,
  type Gateway,
  GRPC_ROUTES,
  HTTP_ROUTES,
  type HttpRoute,
  type Listener,
  REFERENCE_GRANTS,
} from "./types.ts";

const HTTP: Listener = { name: "http", port: 80, protocol: "HTTP" };
const objects = new Map<string, KubeObject[]>();
const list = (resource: string) => objects.get(resource) ?? [];

function given(listeners: Listener[], routes: HttpRoute[], others: Record<string, KubeObject[]> = {}): void {
  objects.clear();
  objects.set(GATEWAY_CLASSES, [
    { metadata: { name: "skerry" }, spec: { controllerName: CONTROLLER } } as KubeObject,
    { metadata: { name: "other" }, spec: { controllerName: "example.com/other" } } as KubeObject,
  ]);
  const spec = { gatewayClassName: "skerry", listeners };
  objects.set(GATEWAYS, [{ metadata: { name: "front", namespace: "infra" }, spec } as KubeObject]);
  objects.set(HTTP_ROUTES, routes);
  for (const [resource, all] of Object.entries(others)) objects.set(resource, all);
}

const backend = (name: string, more: object = {}) => ({ name, port: 80, ...more });

const route = (name: string, spec: HttpRoute["spec"], created = "2026-01-01T00:00:00Z"): HttpRoute => ({
  kind: "HTTPRoute",
  metadata: { name, namespace: "infra", creationTimestamp: created },
  spec: { parentRefs: [{ name: "front" }], rules: [{ backendRefs: [backend(name)] }], ...spec },
});

const asked = (host: string, path = "/", method = "GET"): Incoming => ({
  host,
  path,
  method,
  query: "",
  header: () => undefined,
});

const led = (request: Incoming, port = 80) => {
  const table = tablesOf(list, "lan")?.ports[port];
  return table && routeFor(table.routes, request, 0)?.target?.service;
};

/** What is told of each reference of a route to its gateway. */
const told = (one: HttpRoute) => {
  const sources = new Sources(list);
  return parentsOf(
    one,
    gatewaysOf(sources, () => true),
    sources,
  ).map(({ refused }) => refused?.reason ?? "Accepted");
};

describe("hostnames", () => {
  test("are those that the listener and the route share", () => {
    given([{ ...HTTP, hostname: "*.example.com" }], [route("a", { hostnames: ["one.example.com", "example.org"] })]);
    expect([led(asked("one.example.com")), led(asked("two.example.com")), led(asked("example.org"))]).toEqual([
      "a",
      undefined,
      undefined,
    ]);
  });

  test("a wildcard stands for one label or more, and the nearest name goes first", () => {
    given([HTTP], [route("wide", { hostnames: ["*.com"] }), route("near", { hostnames: ["*.b.com"] })]);
    expect(["a.com", "a.b.com", "x.a.b.com", "b.com", "com"].map((host) => led(asked(host)))).toEqual([
      "wide",
      "near",
      "near",
      "wide",
      undefined,
    ]);
  });

  test("may be called as what every object of JavaScript has", () => {
    given([HTTP], [route("a", { hostnames: ["constructor", "toString"] })]);
    expect(["constructor", "tostring", "valueof"].map((host) => led(asked(host)))).toEqual(["a", "a", undefined]);
  });

  test("of a listener that is nearer keep requests from the others", () => {
    given(
      [HTTP, { ...HTTP, name: "own", hostname: "a.com" }],
      [
        route("all", { parentRefs: [{ name: "front", sectionName: "http" }] }),
        route("own", {
          parentRefs: [{ name: "front", sectionName: "own" }],
          rules: [{ matches: [{ path: { type: "Exact", value: "/x" } }], backendRefs: [backend("own")] }],
        }),
      ],
    );
    expect([led(asked("a.com", "/x")), led(asked("a.com", "/y")), led(asked("b.com"))]).toEqual([
      "own",
      undefined,
      "all",
    ]);
  });
});

test("of routes that say the same the older one counts", () => {
  given([HTTP], [route("new", {}, "2026-02-01T00:00:00Z"), route("old", {}, "2026-01-01T00:00:00Z")]);
  expect(led(asked("a.com"))).toBe("old");
});

test("a rule says of which HTTPRoute it is, whose requests are counted", () => {
  given([HTTP], [route("a", {})]);
  const table = tablesOf(list, "lan")?.ports[80];
  expect(table && routeFor(table.routes, asked("one.example.com"), 0)?.route).toBe("infra/a");
});

test("calls of gRPC go by their service and method, and its programs are spoken to by HTTP/2", () => {
  const grpc = (method: object, name: string) => ({ matches: [{ method }], backendRefs: [backend(name)] });
  const rules = [
    grpc({ service: "pkg.Echo", method: "Say" }, "say"),
    grpc({ service: "pkg.Echo" }, "echo"),
    grpc({ type: "RegularExpression", service: "p.*", method: "Do.+" }, "do"),
  ];
  const one = { ...route("calls", {}), kind: "GRPCRoute" };
  Object.assign(one.spec ?? {}, { rules });
  given([HTTP], [], { [GRPC_ROUTES]: [one as KubeObject] });
  const to = (path: string) => led(asked("a.com", path, "POST"));
  expect(["/pkg.Echo/Say", "/pkg.Echo/Shout", "/pkg.Other/DoIt", "/x.Y/Z"].map(to)).toEqual([
    "say",
    "echo",
    "do",
    undefined,
  ]);
  const table = tablesOf(list, "lan")?.ports[80]?.routes;
  expect(table && routeFor(table, asked("a.com", "/pkg.Echo/Say"), 0)).toMatchObject({
    target: { speaks: "h2c" },
    timeoutMs: 0,
  });
});

describe("patterns of gRPC", () => {
  const calls = (method: object) => {
    const rules = [{ matches: [{ method: { type: "RegularExpression", ...method } }], backendRefs: [backend("a")] }];
    const one = { ...route("calls", {}), kind: "GRPCRoute" };
    Object.assign(one.spec ?? {}, { rules });
    given([HTTP], [], { [GRPC_ROUTES]: [one as KubeObject] });
    return one;
  };

  test("are of a service and of a method, each as a whole", () => {
    calls({ service: "a|b", method: "C|D" });
    const to = (path: string) => led(asked("a.com", path, "POST"));
    expect(["/a/C", "/b/D", "/a", "/D", "/a/E"].map(to)).toEqual(["a", "a", undefined, undefined, undefined]);
  });

  test.each([{ service: "(" }, { method: "(" }, { service: "a)/(b" }, { service: "\\Qa", method: "b" }])(
    "that are none are refused: %j",
    (method) => {
      expect(told(calls(method))).toEqual(["UnsupportedValue"]);
    },
  );
});

test("a timeout is no longer than timers can be", () => {
  given([HTTP], [route("a", { rules: [{ timeouts: { request: "99999h" }, backendRefs: [backend("a")] }] })]);
  const table = tablesOf(list, "lan")?.ports[80]?.routes;
  expect(table && routeFor(table, asked("a.com"), 0)?.timeoutMs).toBe(2 ** 31 - 1);
});

describe("what is refused", () => {
  test.each<[string, Listener[], HttpRoute["spec"], string[]]>([
    ["nothing", [HTTP], {}, ["Accepted"]],
    [
      "a listener that is not there",
      [HTTP],
      { parentRefs: [{ name: "front", sectionName: "x" }] },
      ["NoMatchingParent"],
    ],
    ["a port that is not there", [HTTP], { parentRefs: [{ name: "front", port: 81 }] }, ["NoMatchingParent"]],
    ["other hostnames", [{ ...HTTP, hostname: "a.com" }], { hostnames: ["b.com"] }, ["NoMatchingListenerHostname"]],
    [
      "a kind that the listener does not take",
      [{ ...HTTP, allowedRoutes: { kinds: [{ kind: "GRPCRoute" }] } }],
      {},
      ["NotAllowedByListeners"],
    ],
    ["filters that are not served", [HTTP], { rules: [{ filters: [{ type: "ExternalAuth" }] }] }, ["UnsupportedValue"]],
    [
      "patterns that are none",
      [HTTP],
      { rules: [{ matches: [{ path: { type: "RegularExpression", value: "/(" } }] }] },
      ["UnsupportedValue"],
    ],
    [
      "patterns that are too large",
      [HTTP],
      { rules: [{ matches: [{ headers: [{ type: "RegularExpression", name: "a", value: "(a{100}){100}" }] }] }] },
      ["UnsupportedValue"],
    ],
    ["gateways that are not there are passed over", [HTTP], { parentRefs: [{ name: "x" }] }, []],
  ])("%s", (_, listeners, spec, expected) => {
    const one = route("a", spec);
    given(listeners, [one]);
    expect(told(one)).toEqual(expected);
  });

  test("routes of other namespaces, but where the listener allows them", () => {
    const one = route("a", { parentRefs: [{ name: "front", namespace: "infra" }] });
    one.metadata = { ...one.metadata, namespace: "shop" };
    const from = (namespaces: NonNullable<Listener["allowedRoutes"]>["namespaces"]) => {
      given([{ ...HTTP, allowedRoutes: { namespaces } }], [one], {
        namespaces: [{ metadata: { name: "shop", labels: { team: "web" } } }],
      });
      return told(one)[0];
    };
    const selector = (team: string) => ({ from: "Selector", selector: { matchLabels: { team } } });
    expect([from(undefined), from({ from: "Same" }), from({ from: "All" })]).toEqual([
      "NotAllowedByListeners",
      "NotAllowedByListeners",
      "Accepted",
    ]);
    expect([from(selector("web")), from(selector("db"))]).toEqual(["Accepted", "NotAllowedByListeners"]);
  });

  test("Services of other namespaces, but where a ReferenceGrant permits them", () => {
    const one = route("a", { rules: [{ backendRefs: [backend("web", { namespace: "shop" })] }] });
    given([HTTP], [one]);
    expect(led(asked("a.com"))).toBeUndefined();
    const from = [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "infra" }];
    const grant = (name: string) => ({
      metadata: { name: "g", namespace: "shop" },
      spec: { from, to: [{ group: "", kind: "Service", name }] },
    });
    given([HTTP], [one], { [REFERENCE_GRANTS]: [grant("other") as KubeObject] });
    expect(led(asked("a.com"))).toBeUndefined();
    given([HTTP], [one], { [REFERENCE_GRANTS]: [grant("web") as KubeObject] });
    expect(led(asked("a.com"))).toBe("web");
  });

  test("listeners that contradict each other, and ports that are the nodes' own", () => {
    const tls = { certificateRefs: [{ name: "s" }] };
    const problems = (...listeners: Listener[]) => {
      given(listeners, []);
      const [gateway] = gatewaysOf(new Sources(list), () => true).values();
      return gateway?.listeners.map(({ refused, conflict }) => (refused ?? conflict)?.reason);
    };
    expect(problems(HTTP, { ...HTTP, name: "b" })).toEqual(["HostnameConflict", "HostnameConflict"]);
    expect(problems({ ...HTTP, port: 8080 }, { name: "b", port: 8080, protocol: "HTTPS", tls })).toEqual([
      "ProtocolConflict",
      "ProtocolConflict",
    ]);
    expect(problems({ ...HTTP, port: 22 }, { ...HTTP, name: "b", port: 443 })).toEqual([
      "PortUnavailable",
      "PortUnavailable",
    ]);
    expect(problems({ ...HTTP, protocol: "TCP" })).toEqual(["UnsupportedProtocol"]);
  });
});

test("listeners whose clients are to show certificates are refused, since none are asked for", () => {
  const tls = { certificateRefs: [{ name: "s" }] };
  const secure = (port: number, more: object = {}): Listener => ({
    name: `p${port}`,
    port,
    protocol: "HTTPS",
    tls: { ...tls, ...more },
  });
  const validation = { caCertificateRefs: [{ name: "ca" }] };
  const refusals = (frontend: object, ...listeners: Listener[]) => {
    given(listeners, []);
    for (const gateway of objects.get(GATEWAYS) ?? [])
      Object.assign((gateway as Gateway).spec ?? {}, { tls: { frontend } });
    const [found] = gatewaysOf(new Sources(list), () => true).values();
    return found?.listeners.map(({ refused }) => refused?.reason);
  };
  const all = [HTTP, secure(443), secure(8443)];
  expect(refusals({ default: { validation } }, ...all)).toEqual([undefined, "UnsupportedValue", "UnsupportedValue"]);
  const perPort = [{ port: 8443, tls: {} }];
  expect(refusals({ default: { validation }, perPort }, ...all)).toEqual([undefined, "UnsupportedValue", undefined]);
  expect(refusals({ default: {}, perPort: [{ port: 443, tls: { validation } }] }, ...all)).toEqual([
    undefined,
    "UnsupportedValue",
    undefined,
  ]);
  expect(refusals({ default: {} }, secure(443, { frontendValidation: validation }))).toEqual(["UnsupportedValue"]);
});

describe("gateways of several namespaces on one port", () => {
  const gateway = (namespace: string, hostnames: string[], created: string, scope?: string): KubeObject =>
    ({
      metadata: {
        name: "front",
        namespace,
        creationTimestamp: created,
        ...(scope && { annotations: { [SCOPE_ANNOTATION]: scope } }),
      },
      spec: {
        gatewayClassName: "skerry",
        listeners: hostnames.map((hostname, i) => ({ ...HTTP, name: `l${i}`, ...(hostname && { hostname }) })),
      },
    }) as KubeObject;
  const of = (namespace: string, hostnames: string[], path = "/") => {
    const rules = [{ matches: [{ path: { value: path } }], backendRefs: [backend(namespace)] }];
    const one = route(namespace, { rules, ...(hostnames.length > 0 && { hostnames }) });
    one.metadata = { ...one.metadata, namespace };
    return one;
  };
  const conflicts = () =>
    [...gatewaysOf(new Sources(list), () => true).values()].map(({ listeners }) =>
      listeners.map(({ conflict }) => conflict?.reason),
    );

  test("a hostname is the older one's", () => {
    given([], [of("a", [], "/a"), of("b", [])], {
      [GATEWAYS]: [gateway("b", ["a.com", "b.com"], "2026-02-01"), gateway("a", ["a.com"], "2026-01-01")],
    });
    expect(conflicts()).toEqual([[undefined], ["HostnameConflict", undefined]]);
    expect(["/a", "/x"].map((path) => led(asked("a.com", path)))).toEqual(["a", undefined]);
    expect(led(asked("b.com"))).toBe("b");
  });

  test("nor do wider listeners of others lead to it, and nearer ones have what they name", () => {
    given([], [of("a", [], "/a"), of("b", ["a.com", "x.c.com", "b.com"]), of("c", [])], {
      [GATEWAYS]: [
        gateway("a", ["a.com"], "2026-03-01"),
        gateway("b", [""], "2026-01-01"),
        gateway("c", ["*.c.com"], "2026-02-01"),
      ],
    });
    expect(conflicts().flat()).toEqual([undefined, undefined, undefined]);
    expect(["/a", "/x"].map((path) => led(asked("a.com", path)))).toEqual(["a", undefined]);
    expect(["b.com", "x.c.com", "y.c.com"].map((host) => led(asked(host)))).toEqual(["b", "c", "c"]);
  });

  test("are not in each other's way in one namespace, without hostnames, or where they are served apart", () => {
    const [old, young] = ["2026-01-01", "2026-02-01"];
    const none = [[undefined], [undefined]];
    given([], [], { [GATEWAYS]: [gateway("a", [""], old), gateway("b", [""], young)] });
    expect(conflicts()).toEqual(none);
    given([], [], { [GATEWAYS]: [gateway("a", ["a.com"], old, "lan"), gateway("b", ["a.com"], young, "edge")] });
    expect(conflicts()).toEqual(none);
    const second = gateway("a", ["a.com"], young);
    second.metadata = { ...second.metadata, name: "second" };
    given([], [], { [GATEWAYS]: [gateway("a", ["a.com"], old), second] });
    expect(conflicts()).toEqual(none);
  });
});

test("Services have their shares of requests, and those without any none", () => {
  const refs = [backend("a", { weight: 1 }), backend("b", { weight: 0 }), backend("c", { weight: 3 })];
  given([HTTP], [route("a", { rules: [{ backendRefs: refs }] })]);
  const table = tablesOf(list, "lan")?.ports[80]?.routes ?? { rules: {}, defaults: {} };
  const at = (chance: number) => routeFor(table, asked("a.com"), chance)?.target?.service;
  expect([0, 0.24, 0.26, 0.99].map(at)).toEqual(["a", "a", "c", "c"]);
  given([HTTP], [route("a", { rules: [{ backendRefs: [backend("a", { weight: 0 })] }] })]);
  expect(led(asked("a.com"))).toBeUndefined();
});

test("gateways of other classes are let be, and there is no table where there is none of ours", () => {
  given([HTTP], []);
  objects.set(GATEWAYS, [
    { metadata: { name: "g" }, spec: { gatewayClassName: "other", listeners: [HTTP] } } as KubeObject,
  ]);
  expect(tablesOf(list, "lan")).toBeUndefined();
});
