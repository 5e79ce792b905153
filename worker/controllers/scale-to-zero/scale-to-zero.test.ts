import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { StatefulSet } from "../../kinds/apps/stateful-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { objectSchema } from "../../kinds/custom/structural.ts";
import { kindOf } from "../../kinds/define-kind.ts";
import { CONTROLLER as GATEWAY_CONTROLLER, GROUP } from "../../kinds/gateway/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import { forbidden } from "../../lib/status.ts";
import type { Body } from "../testing-api.ts";
import { type Heard, SCALE_TO_ZERO } from "./scale-to-zero.ts";
import { IdleModel } from "./testing.ts";

const MINUTE_MS = 60_000;

let model: IdleModel;
beforeEach(() => {
  model = new IdleModel();
});

/** One Deployment, its Service and Ingress. */
function usual(idle = "5m", replicas = 3): void {
  model.deploy(replicas);
  model.serve(idle);
  model.lead();
  model.rest();
}

describe("a workload that nobody asks for", () => {
  test("is scaled to zero after its time, and to what it was when somebody does", () => {
    usual();
    model.advance(5 * MINUTE_MS - 1);
    expect(model.replicas()).toBe(3);
    model.advance(1);
    expect([model.replicas(), model.from()]).toEqual([0, "3"]);
    model.wake();
    expect([model.replicas(), model.from()]).toEqual([3, undefined]);
    expect(model.told).toEqual([
      'Normal Deployment default/web ScaledToZero: Scaled from 3 to zero: there was no request for service "web" for 300 s',
      'Normal Deployment default/web ScaledFromZero: Scaled from zero to 3: requests wait for service "web"',
    ]);
    model.advance(5 * MINUTE_MS);
    expect(model.replicas()).toBe(0);
  });

  test("stays while nodes see requests, and is looked at again when the last is long enough ago", () => {
    usual();
    model.hear({ last: model.now + 4 * MINUTE_MS });
    model.advance(5 * MINUTE_MS);
    expect(model.replicas()).toBe(3);
    model.hear({ last: "pending" });
    model.advance(4 * MINUTE_MS);
    model.advance(5 * MINUTE_MS);
    expect(model.asked).toHaveLength(3);
    expect(model.replicas()).toBe(3);
    model.hear({});
    model.advance(5 * MINUTE_MS);
    expect(model.replicas()).toBe(0);
    // While it sleeps nothing is looked at.
    model.advance(24 * 60 * MINUTE_MS);
    expect(model.asked).toHaveLength(4);
  });

  test.each<[string, Partial<Heard>]>([
    ["a node does not say", { last: "unknown" }],
    ["what it said is old", { told: 0 }],
    ["a node with one of its pods cannot be asked", { by: new Set() }],
  ])("is not thought idle where %s", (_, heard) => {
    usual();
    for (const pod of model.list(Pod))
      model.apply({
        do: "bind",
        namespace: "default",
        name: pod.metadata.name ?? "",
        uid: pod.metadata.uid ?? "",
        node: "node-a",
      });
    model.hear(heard);
    model.advance(6 * MINUTE_MS);
    expect(model.replicas()).toBe(3);
    model.hear({});
    model.advance(MINUTE_MS);
    expect(model.replicas()).toBe(0);
  });

  test("stays while a node that is ready is not connected, though it has none of the pods: it may have a request", () => {
    usual();
    model.addNode("node-b");
    model.advance(6 * MINUTE_MS);
    expect(model.replicas()).toBe(3);
    model.setNodeReady("node-b", "Unknown");
    model.advance(2 * MINUTE_MS);
    expect(model.replicas()).toBe(0);
  });

  test("is not asked for while no node is ready, and at once when one is", () => {
    usual();
    model.setNodeReady("node-a", "Unknown");
    model.advance(24 * 60 * MINUTE_MS);
    expect([model.asked.length, model.replicas()]).toEqual([0, 3]);
    model.setNodeReady("node-a", "True");
    model.rest();
    expect(model.replicas()).toBe(0);
  });

  test("is asked for ever more seldom while a node is silent, up to an hour", () => {
    usual();
    model.hear({ last: "unknown" });
    model.advance(5 * MINUTE_MS);
    const times = [60, 60 * 60, 24 * 60 * 60].map((s) => {
      model.advance(s * 1000);
      return model.asked.length;
    });
    expect(times).toEqual([4, 9, 33]);
    model.hear({ last: "pending" });
    model.advance(60 * MINUTE_MS);
    // What is silent anew is asked as soon as at first.
    const before = model.asked.length;
    model.hear({ last: "unknown" });
    model.advance(10 * MINUTE_MS);
    expect(model.asked.length - before).toBeGreaterThan(4);
    model.hear({});
    model.advance(10 * MINUTE_MS);
    expect(model.replicas()).toBe(0);
  });

  test("is asked for once in its time while it is busy, though answers take theirs", () => {
    usual();
    model.answerLater();
    model.hear({ last: "pending" });
    model.advance(60 * MINUTE_MS);
    expect(model.asked).toHaveLength(12);
    model.hear({});
    model.advance(5 * MINUTE_MS);
    expect(model.replicas()).toBe(0);
  });

  test("has its time remembered where memory is lost", () => {
    usual();
    model.advance(4 * MINUTE_MS);
    const [[, text] = []] = [...model.stored];
    expect(text && JSON.parse(text)).toMatchObject({ at: model.now - 4 * MINUTE_MS });
    model.advance(MINUTE_MS);
    expect(model.stored.size).toBe(0); // of what sleeps nothing is kept
  });

  test.each<[string, () => void]>([
    ["there is no Ingress", () => {}],
    ["the Ingress is another controller's", () => model.lead("web", "other")],
  ])("stays where %s, and its Service tells why", (_, lead) => {
    model.deploy(2);
    model.serve("5m");
    lead();
    model.rest();
    model.advance(10 * MINUTE_MS);
    expect(model.replicas()).toBe(2);
    expect(model.told.at(-1)).toBe(
      "Warning Service default/web NotScaledToZero: it has no address of its own, and no Ingress or route of a gateway leads to it: what is asked of it is not seen",
    );
  });

  test.each(["10.96.0.7", "fd00:96::7"])(
    "needs no Ingress where it has the address %s, and tells what woke it",
    (address) => {
      model.deploy(2);
      model.serve("5m", "web", "web", address);
      model.rest();
      model.advance(5 * MINUTE_MS);
      expect(model.replicas()).toBe(0);
      model.wake("web", { protocol: "TCP", port: 80, address: "10.244.0.9" });
      expect(model.replicas()).toBe(2);
      expect(model.told.at(-1)).toBe(
        'Normal Deployment default/web ScaledFromZero: Scaled from zero to 2: a connection from 10.244.0.9 waits for port 80 of service "web"',
      );
      model.advance(5 * MINUTE_MS);
      model.wake("web", { protocol: "UDP", port: 53, address: "10.244.0.9" });
      expect(model.told.at(-1)).toContain('a datagram from 10.244.0.9 came for port 53 of service "web"');
    },
  );

  test("that has no address is not seen", () => {
    model.deploy(2);
    model.serve("5m", "web", "web", "None");
    model.rest();
    model.advance(10 * MINUTE_MS);
    expect(model.replicas()).toBe(2);
  });

  test.each(["5 minutes", "0s", "-5m", "10ms", ""])("is not scaled by the time %j", (idle) => {
    usual(idle);
    model.advance(60 * MINUTE_MS);
    expect(model.replicas()).toBe(3);
    expect(model.told[0]).toContain("Warning Service default/web InvalidScaleToZero: the annotation skerry.dev/");
    expect(model.asked).toEqual([]);
  });
});

describe("a gateway's route", () => {
  const kind = (name: string, resource: string, namespaced: boolean): Kind => {
    const facts = { group: GROUP, version: "v1", kind: name, resource, singular: "", namespaced, verbs: ["list"] };
    return kindOf({ ...facts, schema: objectSchema({ type: "object" }) });
  };
  const [GatewayClass, Gateway, HTTPRoute] = [
    kind("GatewayClass", "gatewayclasses", false),
    kind("Gateway", "gateways", true),
    kind("HTTPRoute", "httproutes", true),
  ];
  const kinds = [GatewayClass, Gateway, HTTPRoute];
  // They come with their definitions, which a model does not read.
  beforeEach(() => {
    for (const one of kinds) model.kinds.add(one);
  });
  afterEach(() => {
    for (const one of kinds) model.kinds.remove(one);
  });

  test("is a way by which requests are seen, from when it is there", () => {
    const make = (kind: Kind, name: string, spec: object) =>
      model.create(kind, { metadata: { name, ...(kind.namespaced && { namespace: "default" }) }, spec } as KubeObject);
    make(GatewayClass, "skerry", { controllerName: GATEWAY_CONTROLLER });
    const listeners = [{ name: "http", port: 80, protocol: "HTTP" }];
    make(Gateway, "shop", { gatewayClassName: "skerry", listeners });
    model.deploy(2);
    model.serve("5m");
    model.rest();
    model.advance(5 * MINUTE_MS);
    expect(model.replicas()).toBe(2);
    const backendRefs = [{ name: "web", port: 80 }];
    // What hears copies only is asked by nobody.
    const mirror = { type: "RequestMirror", requestMirror: { backendRef: { name: "web", port: 80 } } };
    const rules = [{ filters: [mirror], backendRefs: [{ name: "other", port: 80 }] }];
    make(HTTPRoute, "copies", { parentRefs: [{ name: "shop" }], rules });
    model.rest();
    expect(model.replicas()).toBe(2);
    make(HTTPRoute, "shop", { parentRefs: [{ name: "shop" }], rules: [{ backendRefs }] });
    model.rest();
    expect([model.replicas(), model.from()]).toEqual([0, "2"]);
  });
});

describe("a user's word", () => {
  test("counts while it sleeps, and its time begins anew", () => {
    usual();
    model.advance(5 * MINUTE_MS);
    model.advance(MINUTE_MS);
    model.scale(5);
    expect([model.replicas(), model.from()]).toEqual([5, undefined]);
    model.advance(5 * MINUTE_MS - 1);
    expect(model.replicas()).toBe(5);
    model.advance(1);
    expect([model.replicas(), model.from()]).toEqual([0, "5"]);
  });

  test("that there be more begins its time anew, that there be fewer does not", () => {
    usual();
    model.advance(3 * MINUTE_MS);
    model.scale(4);
    model.advance(3 * MINUTE_MS);
    model.scale(2);
    model.advance(2 * MINUTE_MS - 1);
    expect(model.replicas()).toBe(2);
    model.advance(1);
    expect(model.replicas()).toBe(0);
  });

  test("of zero is a word to sleep: a request wakes one replica", () => {
    usual();
    model.scale(0);
    model.wake();
    expect(model.replicas()).toBe(1);
  });

  test("that it may not be changed is told, and it is tried again", () => {
    usual();
    model.advance(5 * MINUTE_MS);
    model.refuseUpdates = (kind) =>
      kind.kind === "Deployment" ? forbidden({ group: "apps", resource: "deployments" }, "no") : undefined;
    model.wake();
    expect(model.replicas()).toBe(0);
    expect(model.told.at(-1)).toMatch(
      /^Warning Deployment default\/web FailedRescale: Scaled from zero to 3: requests wait for service "web"; error: .*no$/,
    );
    model.refuseUpdates = () => undefined;
    model.advance(30_000);
    expect(model.replicas()).toBe(3);
  });

  test("a new template while it sleeps lets it sleep", () => {
    usual();
    model.advance(5 * MINUTE_MS);
    const found = model.get(Deployment, "web");
    model.edit(Deployment, found as Body & Deployment, (copy) => {
      const [container] = copy.spec?.template.spec?.containers ?? [];
      if (container) container.image = "web:2";
    });
    model.rest();
    expect(model.replicas()).toBe(0);
    model.wake();
    expect(model.replicas()).toBe(3);
    expect(model.list(Pod).map(({ spec }) => spec.containers[0]?.image)).toEqual(["web:2", "web:2", "web:2"]);
  });

  test("an annotation that is taken away leaves it as it is", () => {
    usual();
    const found = model.get(Service, "web");
    model.edit(Service, found as Body & Service, (copy) => {
      copy.metadata.annotations = {};
    });
    model.rest();
    model.advance(60 * MINUTE_MS);
    expect(model.replicas()).toBe(3);
    expect(model.stored.size).toBe(0);
  });
});

test.each([
  ["taken away", undefined],
  ["no time any more", "soon"],
])("an annotation that is %s while it sleeps wakes it, unless another Service has one", (_, idle) => {
  usual();
  model.serve("5m", "web-admin");
  model.rest();
  model.advance(5 * MINUTE_MS);
  const change = (name: string) => {
    model.edit(Service, model.get(Service, name) as Body & Service, (copy) => {
      copy.metadata.annotations = idle === undefined ? {} : { "skerry.dev/scale-to-zero": idle };
    });
    model.rest();
  };
  change("web");
  expect([model.replicas(), model.from()]).toEqual([0, "3"]);
  change("web-admin");
  expect([model.replicas(), model.from()]).toEqual([3, undefined]);
  const why = 'service "web-admin" is not to be scaled to zero any more';
  expect(model.told).toContain(`Normal Deployment default/web ScaledFromZero: Scaled from zero to 3: ${why}`);
});

describe("several of them", () => {
  test("Services of one Deployment: all have to be idle, for the longest of their times", () => {
    usual("1m");
    model.serve("10m", "web-admin");
    model.serve(undefined, "web-internal");
    model.rest();
    model.advance(10 * MINUTE_MS - 1);
    expect(model.replicas()).toBe(3);
    model.advance(1);
    expect(model.replicas()).toBe(0);
    expect(model.asked.at(-1)?.toSorted()).toEqual(["default/web", "default/web-admin", "default/web-internal"]);
    model.wake("web-admin");
    expect(model.replicas()).toBe(3);
  });

  test("Deployments of one Service: those that were scaled to zero come back, and no other", () => {
    model.deploy(2, "blue", "web");
    model.deploy(1, "green", "web");
    model.deploy(0, "grey", "web");
    model.serve("1m");
    model.lead();
    model.rest();
    model.advance(MINUTE_MS);
    expect(["blue", "green", "grey"].map((name) => model.replicas(name))).toEqual([0, 0, 0]);
    model.wake();
    expect(["blue", "green", "grey"].map((name) => model.replicas(name))).toEqual([2, 1, 0]);
  });

  test("any kind that has a scale", () => {
    const labels = { app: "web" };
    model.create(StatefulSet, {
      metadata: { name: "db", namespace: "default" },
      spec: {
        replicas: 2,
        serviceName: "web",
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "db" }] } },
      },
    });
    model.serve("1m");
    model.lead();
    model.rest();
    model.advance(MINUTE_MS);
    expect(model.get(StatefulSet, "db")?.spec?.replicas).toBe(0);
    model.wake();
    expect(model.get(StatefulSet, "db")?.spec?.replicas).toBe(2);
  });
});

test("a word that nobody waits behind any more wakes nothing", () => {
  model.serve("5m");
  model.wake();
  expect(model.wakes.size).toBe(0);
  usualLater();
  expect(model.replicas()).toBe(0);
  model.wakes.set("default/web", { at: model.now - 61_000 });
  model.driver.enqueue(SCALE_TO_ZERO, "default/web");
  model.rest();
  expect(model.replicas()).toBe(0);
});

function usualLater(): void {
  model.deploy(0);
  model.rest();
}
