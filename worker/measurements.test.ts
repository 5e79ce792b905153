import { describe, expect, test } from "vitest";
import type { Question as Asked, Extensions, Reply } from "./api/aggregation/aggregation.ts";
import type { SeenByNodes } from "./api/metrics/custom.ts";
import type { Usages } from "./api/metrics/metrics.ts";
import type { StoreView } from "./api/view.ts";
import type { Question } from "./controllers/horizontalpodautoscaler/metrics.ts";
import { identityOf } from "./controllers/horizontalpodautoscaler/metrics.ts";
import { ModelApi } from "./controllers/testing-api.ts";
import { APIService } from "./kinds/apiregistration/api-service.ts";
import { Pod } from "./kinds/core/pod.ts";
import { Service } from "./kinds/core/service.ts";
import type { Kind } from "./kinds/kind.ts";
import { Ingress } from "./kinds/networking/ingress.ts";
import type { KubeObject } from "./lib/object.ts";
import { Measurements } from "./measurements.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

function apis(reply: (path: string) => Partial<Reply> | Error, usages?: Usages, traffic?: SeenByNodes) {
  const model = new ModelApi();
  const asked: Asked[] = [];
  const used: string[] = [];
  const extensions: Extensions = {
    async get(_, question) {
      asked.push(question);
      const given = reply(question.path);
      if (given instanceof Error) throw given;
      return { status: 200, headers: new Headers(), text: "", ...given };
    },
    used: ({ name }) => void used.push(name),
  };
  /** With its status, which is no part of what is created. */
  const make = (kind: Kind, object: KubeObject): string => {
    const { namespace = "", name = "" } = object.metadata ?? {};
    model.apply({ do: "create", kind, object });
    model.apply({ do: "updateStatus", kind, object });
    return model.view.get(kind, namespace, name)?.metadata?.uid ?? "";
  };
  const serve = (group: string, version: string, available = "True") =>
    make(
      APIService as unknown as Kind,
      {
        metadata: { name: `${version}.${group}` },
        spec: {
          group,
          version,
          groupPriorityMinimum: 100,
          versionPriority: 100,
          service: { namespace: "m", name: "m" },
        },
        status: { conditions: [{ type: "Available", status: available }] },
      } as KubeObject,
    );
  const view = model.view as StoreView;
  const measurements = new Measurements({ view, extensions, usages, traffic, now: () => NOW });
  const ask = async (question: Question) => (await measurements.answers([question])).get(identityOf(question));
  return { ask, asked, used, serve, make };
}

const CUSTOM = "custom.metrics.k8s.io";
const EXTERNAL = "external.metrics.k8s.io";
const RESOURCE: Question = { api: "resource", namespace: "shop", selector: "app=web" };
const PODS: Question = {
  api: "pods",
  namespace: "shop",
  selector: "app=web",
  metric: "rps",
  metricSelector: "verb=GET",
};
const object = (resource?: string): Question => ({
  api: "object",
  namespace: "shop",
  resource,
  name: resource ? "main" : "shop",
  metric: "hits",
  metricSelector: "",
});
const QUEUE: Question = { api: "external", namespace: "shop", metric: "queue", metricSelector: "name in (a,b)" };

describe("requests", () => {
  const figures = { perSecond: 12, pending: 4, idleMs: 0 };
  const silent: string[] = [];
  const traffic: SeenByNodes = {
    seen: async () => ({
      traffic: {
        countedMs: 0,
        services: { "shop/main": figures },
        ingresses: { "shop/main": { ...figures, perSecond: 0.5 } },
        pods: { "10.244.0.2": figures },
      },
      by: new Set(["node-a"]),
      silent,
    }),
  };
  const own = (question: Question) => ({ ...question, metric: "requests_per_second", metricSelector: "" }) as Question;

  test("are asked of the nodes where nobody else is named for them", async () => {
    const { ask, make } = apis(() => ({}), undefined, traffic);
    make(Service as unknown as Kind, { metadata: { namespace: "shop", name: "main" } });
    make(Ingress as unknown as Kind, { metadata: { namespace: "shop", name: "main" } });
    make(
      Pod as unknown as Kind,
      {
        metadata: { namespace: "shop", name: "p", labels: { app: "web" } },
        status: { podIP: "10.244.0.2" },
      } as KubeObject,
    );
    const [one, many] = [
      { of: "main", value: "12" },
      { of: "p", value: "12" },
    ];
    expect(await ask(own(object("services")))).toEqual({ values: [one] });
    expect(await ask(own(object("ingresses.networking.k8s.io")))).toEqual({ values: [{ of: "main", value: "500m" }] });
    expect(await ask(own(PODS))).toEqual({ values: [many] });
    const missing = own({ ...object("services"), name: "none" } as Question);
    expect(await ask(missing)).toEqual({ failed: 'services "none" not found' });
    silent.push("node-b");
    expect(await ask(own(PODS))).toEqual({ failed: 'node "node-b" did not tell what requests it has seen' });
    expect(await ask(own(object("deployments.apps")))).toEqual({
      failed: "no custom metrics API (custom.metrics.k8s.io) registered",
    });
  });

  test("are another server's where one is named", async () => {
    const item = { describedObject: { name: "main" }, value: "7" };
    const { ask, serve } = apis(() => ({ text: JSON.stringify({ items: [item] }) }), undefined, traffic);
    serve(CUSTOM, "v1beta1");
    expect(await ask(own(object("services")))).toEqual({ values: [{ of: "main", value: "7" }] });
  });
});

describe("where nobody serves them", () => {
  test.each<[Question, string]>([
    [PODS, "no custom metrics API (custom.metrics.k8s.io) registered"],
    [object("ingresses.networking.k8s.io"), "no custom metrics API (custom.metrics.k8s.io) registered"],
    [QUEUE, "the server could not find the requested resource (get queue.external.metrics.k8s.io)"],
  ])("%o", async (question, failed) => {
    expect(await apis(() => ({})).ask(question)).toEqual({ failed });
  });

  test("nodes are asked what pods use", async () => {
    const container = { name: "c", cpu: 250_000_000, memory: 1_048_576, windowMs: 12_500 };
    let uid = "";
    const usages: Usages = {
      of: async (nodes) =>
        new Map(nodes.map((node) => [node, { at: NOW - 2000, pods: [{ uid, containers: [container] }] }])),
    };
    const { ask, make } = apis(() => ({}), usages);
    const metadata = { name: "web-1", namespace: "shop", labels: { app: "web" } };
    const spec = { nodeName: "n", containers: [] };
    uid = make(Pod as unknown as Kind, { metadata, spec, status: { phase: "Running" } } as KubeObject);
    expect(await ask(RESOURCE)).toEqual({
      pods: [
        {
          name: "web-1",
          at: NOW - 2000,
          windowMs: 12_500,
          containers: [{ name: "c", usage: { cpu: "250m", memory: "1Mi" } }],
        },
      ],
    });
    expect(await ask({ ...RESOURCE, selector: "app=other" })).toEqual({ pods: [] });
  });
});

describe("where a server serves them", () => {
  test("a metrics server is asked what pods use", async () => {
    const item = {
      metadata: { name: "web-1" },
      timestamp: "2025-12-31T23:59:50Z",
      window: "1m0s",
      containers: [{ name: "c", usage: { cpu: "5m" } }],
    };
    const { ask, asked, used, serve } = apis(() => ({ text: JSON.stringify({ items: [item] }) }));
    serve("metrics.k8s.io", "v1beta1");
    expect(await ask(RESOURCE)).toEqual({
      pods: [{ name: "web-1", at: NOW - 10_000, windowMs: 60_000, containers: [{ name: "c", usage: { cpu: "5m" } }] }],
    });
    expect(asked).toMatchObject([
      {
        path: "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?labelSelector=app%3Dweb",
        as: { name: "system:serviceaccount:kube-system:horizontal-pod-autoscaler" },
      },
    ]);
    expect(used).toEqual(["v1beta1.metrics.k8s.io"]);
  });

  test.each<[Question, path: string]>([
    [
      PODS,
      "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/rps?labelSelector=app%3Dweb&metricLabelSelector=verb%3DGET",
    ],
    [
      object("ingresses.networking.k8s.io"),
      "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/ingresses.networking.k8s.io/main/hits",
    ],
    [object(), "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/metrics/hits"],
    [QUEUE, "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue?labelSelector=name+in+%28a%2Cb%29"],
  ])("%o", async (question, path) => {
    const items = [{ describedObject: { name: "web-1" }, value: "7500m" }];
    const { ask, asked, serve } = apis(() => ({ text: JSON.stringify({ items }) }));
    serve(CUSTOM, "v1beta1");
    serve(CUSTOM, "v1beta2");
    serve(EXTERNAL, "v1beta1");
    expect(await ask(question)).toEqual({ values: [{ of: "web-1", value: "7500m" }] });
    expect(asked.map((one) => one.path)).toEqual([path]);
  });

  test.each<[what: string, reply: Partial<Reply> | Error, failed: string]>([
    ["a Status", { status: 404, text: `{"kind":"Status","message":"no such metric"}` }, "no such metric"],
    [
      "some text",
      { status: 500, text: "oh no\n" },
      `an error on the server ("oh no") has prevented the request from succeeding (get pods.custom.metrics.k8s.io *)`,
    ],
    [
      "no page",
      { status: 404, text: "404 page not found" },
      "the server could not find the requested resource (get pods.custom.metrics.k8s.io *)",
    ],
    ["nothing at all", new Error("connection refused"), "connection refused"],
    ["nonsense", { text: "<html>" }, "the server returned something that is no JSON"],
  ])("which answers %s", async (_, reply, failed) => {
    const { ask, serve } = apis(() => reply);
    serve(CUSTOM, "v1beta1");
    expect(await ask(PODS)).toEqual({ failed });
  });

  test("which cannot be reached", async () => {
    const { ask, asked, serve } = apis(() => ({}));
    serve("metrics.k8s.io", "v1beta1", "False");
    const failed = "the server is currently unable to handle the request (get pods.metrics.k8s.io)";
    expect(await ask(RESOURCE)).toEqual({ failed });
    expect(asked).toEqual([]);
  });

  test("of one object there is one value", async () => {
    const { ask, serve } = apis(() => ({ text: `{"items":[]}` }));
    serve(CUSTOM, "v1beta2");
    const failed = "the custom metrics API server returned 0 results when we asked for exactly one";
    expect(await ask(object("services"))).toEqual({ failed });
  });
});
