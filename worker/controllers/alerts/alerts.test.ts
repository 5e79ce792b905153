import { beforeEach, describe, expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { Job } from "../../kinds/batch/job.ts";
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Secret } from "../../kinds/core/secret.ts";
import { ServiceAccount } from "../../kinds/core/service-account.ts";
import { GATEWAYS } from "../../kinds/gateway/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { messageOf } from "../../lib/alerts/message.ts";
import type { Outcome } from "../../lib/alerts/step.ts";
import { timestamp } from "../../lib/effects.ts";
import {
  ALERTS_CONFIG,
  ALERTS_NAMESPACE,
  ALERTS_PUSH_SECRET,
  ALERTS_SECRET,
  ALERTS_STATUS,
  readAlertStatus,
  TEST_ANNOTATION,
  VAPID_KEY,
} from "../../lib/facts/alerts.ts";
import { ApiError } from "../../lib/status.ts";
import { Model } from "../testing.ts";
import { alertController, type Order } from "./alerts.ts";

const MINUTE = 60_000;
const RECEIVERS = "- { name: hook, webhook: { url: http://192.0.2.7/hook } }";

/** What was sent, in words, with the minute at which it was. */
let sent: string[];
let ids: string[];
/** Of each of them, by what its outcome is known. */
let prints: string[];
/** What receivers answer; `lost` ends the memory of who asks meanwhile. */
let answer: (order: Order) => Outcome | "lost";
let model: Model;

function start(): Model {
  const begun = Date.parse("2026-01-01T00:00:00Z");
  return new Model([
    alertController({
      send(key, print, order) {
        prints.push(`${key} ${print}`);
        const outcome = answer(order);
        const { title } = messageOf("c", order.delivery);
        sent.push(`${Math.round((model.now - begun) / 1000)} ${order.delivery.receiver} ${title}`);
        ids.push(order.delivery.id);
        return outcome === "lost" ? undefined : outcome;
      },
    }),
  ]);
}

beforeEach(() => {
  sent = [];
  ids = [];
  prints = [];
  answer = () => ({ sent: true });
  model = start();
});

function configure(data: Record<string, string>): void {
  const metadata = { name: ALERTS_CONFIG, namespace: ALERTS_NAMESPACE };
  if (!model.get(ConfigMap, ALERTS_CONFIG, ALERTS_NAMESPACE)) model.create(ConfigMap, { metadata, data } as ConfigMap);
  else model.edit(ConfigMap, { metadata } as ConfigMap, (map) => Object.assign(map, { data }));
  model.rest();
}

const status = () => readAlertStatus(model.get(ConfigMap, ALERTS_STATUS, ALERTS_NAMESPACE)?.data);
const firing = () => status().alerts.map(({ rule, kind, name }) => `${rule} ${kind}/${name}`);

function pod(
  name: string,
  state: object,
  more: { restarts?: number; lastState?: object; labels?: object; owner?: object } = {},
): void {
  const { restarts = 0, lastState = {}, labels, owner } = more;
  const metadata = {
    name,
    namespace: "default",
    ...(labels && { labels }),
    ...(owner && { ownerReferences: [owner] }),
  };
  const known = model.get(Pod, name);
  if (!known)
    model.create(Pod, {
      metadata,
      spec: { nodeName: "node-a", containers: [{ name: "main", image: "app:1" }] },
    } as Pod);
  model.edit(
    Pod,
    { metadata } as Pod,
    (copy) => {
      const container = {
        name: "main",
        image: "app:1",
        imageID: "",
        ready: "running" in state,
        restartCount: restarts,
      };
      copy.status = { phase: "Running", containerStatuses: [{ ...container, state, lastState }] };
    },
    "status",
  );
  model.rest();
}

const failed = (ranMs = 1000) => ({
  terminated: { exitCode: 1, startedAt: timestamp(model.now - ranMs), finishedAt: timestamp(model.now) },
});
const BACKOFF = { waiting: { reason: "CrashLoopBackOff" } };
const running = () => ({ running: { startedAt: timestamp(model.now) } });

describe("a node that is offline", () => {
  beforeEach(() => {
    configure({ receivers: RECEIVERS });
    model.addNode("node-a");
  });

  test("is told after five minutes, with half a minute for others to join, and its return as well", () => {
    model.setNodeReady("node-a", "Unknown");
    model.advance(4 * MINUTE);
    expect(status().alerts).toEqual([]);
    model.advance(MINUTE);
    expect(firing()).toEqual(["node-offline Node/node-a"]);
    expect(sent).toEqual([]);
    model.advance(MINUTE);
    expect(sent).toEqual(["330 hook c: node-offline: Node node-a"]);
    expect(model.events.map(({ reason, about }) => `${reason} ${about}`)).toEqual(["AlertFiring Node /node-a"]);
    model.advance(10 * MINUTE);
    model.setNodeReady("node-a", "True");
    model.advance(MINUTE);
    expect(sent.slice(1)).toEqual(["990 hook c: node-offline is over: Node node-a"]);
    expect(status()).toMatchObject({
      alerts: [],
      deliveries: [],
      receivers: [{ name: "hook", sentAt: model.now - 30_000 }],
    });
    expect(model.events.at(-1)?.reason).toBe("AlertResolved");
  });

  test("is not told where it comes back in time, and then nothing waits", () => {
    model.setNodeReady("node-a", "Unknown");
    model.advance(4 * MINUTE);
    model.setNodeReady("node-a", "True");
    model.advance(60 * MINUTE);
    expect([sent, status().alerts, model.deadlines]).toEqual([[], [], []]);
  });

  test("many at once are one message", () => {
    for (const name of ["node-b", "node-c", "node-d", "node-e"]) model.addNode(name);
    for (const { metadata } of model.list(Node)) {
      model.setNodeReady(metadata.name ?? "", "Unknown");
      model.advance(2000);
    }
    model.advance(10 * MINUTE);
    expect(sent).toEqual(["330 hook c: node-offline: Node node-a, Node node-b, Node node-c and 2 more"]);
  });

  test("others that follow wait for the rule's next message", () => {
    model.addNode("node-b");
    model.setNodeReady("node-a", "Unknown");
    model.advance(MINUTE);
    model.setNodeReady("node-b", "Unknown");
    model.advance(20 * MINUTE);
    expect(sent).toEqual(["330 hook c: node-offline: Node node-a", "630 hook c: node-offline: Node node-b"]);
  });

  test("is told again while it lasts, after half a day", () => {
    model.setNodeReady("node-a", "Unknown");
    model.advance(13 * 60 * MINUTE);
    expect(sent.slice(1)).toEqual(["43530 hook c: node-offline, still: Node node-a"]);
  });

  test("is not told while it is silenced, and is when that is over", () => {
    const until = timestamp(model.now + 60 * MINUTE);
    configure({ receivers: RECEIVERS, silences: `- { rule: node-offline, name: node-a, until: ${until} }` });
    model.setNodeReady("node-a", "Unknown");
    model.advance(30 * MINUTE);
    expect(status().alerts).toMatchObject([{ name: "node-a", silenced: true }]);
    expect(sent).toEqual([]);
    model.advance(31 * MINUTE);
    expect(sent).toEqual(["3600 hook c: node-offline: Node node-a"]);
  });

  test("takes what its pods are in with it", () => {
    pod("bad", BACKOFF, { restarts: 4, lastState: failed() });
    expect(firing()).toEqual(["crash-loop Pod/bad"]);
    model.setNodeReady("node-a", "Unknown");
    model.advance(10 * MINUTE);
    expect(firing()).toEqual(["crash-loop Pod/bad", "node-offline Node/node-a"]); // neither begun nor ended by it
    expect(sent.filter((line) => line.includes("is over"))).toEqual([]);
  });
});

describe("a crash loop", () => {
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-abc", uid: "u", controller: true };
  const of = { labels: { "pod-template-hash": "abc" }, owner };

  test("is one from the third restart on, of its Deployment, and over when a pod has run for ten minutes", () => {
    pod("web-abc-1", BACKOFF, { ...of, restarts: 2, lastState: failed() });
    expect(firing()).toEqual([]);
    pod("web-abc-1", BACKOFF, { ...of, restarts: 3, lastState: failed() });
    pod("web-abc-2", BACKOFF, { ...of, restarts: 3, lastState: failed() });
    expect(firing()).toEqual(["crash-loop Deployment/web"]);
    expect(status().alerts[0]?.cause).toBe(
      "Pod web-abc-1. Container main ends again and again: 3 restarts, last by exit code 1.",
    );
    for (const name of ["web-abc-1", "web-abc-2"]) pod(name, running(), { ...of, restarts: 4, lastState: failed() });
    model.advance(9 * MINUTE);
    expect(firing()).toEqual(["crash-loop Deployment/web"]);
    model.advance(MINUTE);
    expect(firing()).toEqual([]);
  });

  test("is none where the container had run for long, or runs", () => {
    pod("old", BACKOFF, { restarts: 7, lastState: failed(3_600_000) });
    pod("up", running(), { restarts: 7, lastState: failed() });
    expect(firing()).toEqual([]);
  });
});

describe("an owner that there cannot be", () => {
  const owned = (name: string, owner: object) =>
    pod(name, BACKOFF, { restarts: 4, lastState: failed(), owner: { uid: "u", controller: true, ...owner } });

  test("is not told of, but its pod", () => {
    owned("large", { apiVersion: "apps/v1", kind: "ReplicaSet", name: "n".repeat(1_100_000) });
    owned("strange", { apiVersion: "x.io/v1", kind: "Any", name: "any" });
    owned("line", { apiVersion: "apps/v1", kind: "StatefulSet", name: "a\nb" });
    owned("well", { apiVersion: "apps/v1", kind: "StatefulSet", name: "db" });
    expect(firing()).toEqual([
      "crash-loop Pod/large",
      "crash-loop Pod/strange",
      "crash-loop Pod/line",
      "crash-loop StatefulSet/db",
    ]);
  });

  test("of a Job neither", () => {
    const cron = { apiVersion: "batch/v1", kind: "CronJob", name: "n".repeat(1_100_000), uid: "u", controller: true };
    const metadata = { name: "once", namespace: "default", ownerReferences: [cron] };
    model.create(Job, { metadata } as Job);
    model.edit(
      Job,
      { metadata } as Job,
      (copy) => Object.assign(copy, { status: { conditions: [{ type: "Failed", status: "True", message: "no" }] } }),
      "status",
    );
    model.rest();
    expect(firing()).toEqual(["job-failed Job/once"]);
    expect(status().alerts[0]?.cause).toBe("It failed: no.");
  });
});

test("a container that does not tell since when it runs keeps nobody from being told of others", () => {
  configure({ receivers: RECEIVERS });
  pod("bad", BACKOFF, { restarts: 4, lastState: failed() });
  pod("bad", { running: {} }, { restarts: 5, lastState: failed() });
  model.addNode("node-b");
  model.setNodeReady("node-b", "Unknown");
  model.advance(6 * MINUTE);
  expect(firing()).toEqual(["crash-loop Pod/bad", "node-offline Node/node-b"]);
});

test("pods that fail are one alert each as far as there is room, and the rest is counted", () => {
  for (let i = 0; i < 60; i++) pod(`bad-${i}`, BACKOFF, { restarts: 4, lastState: failed() });
  expect(firing()).toHaveLength(35);
  expect(status().more).toBe(25);
  model.addNode("node-b");
  model.setNodeReady("node-b", "Unknown");
  model.advance(6 * MINUTE);
  expect(firing()).toContain("node-offline Node/node-b");
});

test("what is silenced for centuries is looked at again before", () => {
  configure({ receivers: RECEIVERS, silences: "- { until: 9999-01-01T00:00:00Z }" });
  model.addNode("node-b");
  model.setNodeReady("node-b", "Unknown");
  model.advance(6 * MINUTE);
  const latest = Math.max(...model.deadlines.map(({ due }) => due));
  expect(latest - model.now).toBeGreaterThan(0);
  expect(latest - model.now).toBeLessThanOrEqual(30 * 24 * 60 * MINUTE);
});

test("a Job that failed, and a CronJob until its next one succeeds", () => {
  const cron = { apiVersion: "batch/v1", kind: "CronJob", name: "backup", uid: "u", controller: true };
  const job = (name: string, type: "Failed" | "Complete", owners: object[] = []) => {
    model.create(Job, { metadata: { name, namespace: "default", ownerReferences: owners } } as Job);
    model.edit(
      Job,
      { metadata: { name, namespace: "default" } } as Job,
      (copy) => {
        const lastTransitionTime = timestamp(model.now);
        copy.status = {
          conditions: [{ type, status: "True", message: "backoff limit", lastTransitionTime }],
          ...(type === "Complete" && { completionTime: lastTransitionTime }),
        };
      },
      "status",
    );
    model.rest();
  };
  job("once", "Failed");
  job("backup-1", "Failed", [cron]);
  expect(firing()).toEqual(["job-failed CronJob/backup", "job-failed Job/once"].toReversed());
  expect(status().alerts[1]?.cause).toBe("Its last run, backup-1, failed: backoff limit.");
  model.advance(MINUTE);
  job("backup-2", "Complete", [cron]);
  expect(firing()).toEqual(["job-failed Job/once"]);
});

test("a rollout that passed its deadline", () => {
  const web = model.create(Deployment, { metadata: { name: "web", namespace: "default" } } as Deployment);
  const condition = { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" };
  model.edit(Deployment, web, (copy) => Object.assign(copy, { status: { conditions: [condition] } }), "status");
  model.rest();
  expect(firing()).toEqual(["rollout-stuck Deployment/web"]);
  model.delete(Deployment, web);
  model.rest();
  expect(firing()).toEqual([]);
});

describe("a message", () => {
  beforeEach(() => {
    configure({ receivers: RECEIVERS, timing: "{ wait: 0s }" });
    model.addNode("node-a");
    model.setNodeReady("node-a", "Unknown");
  });

  test("that is refused is sent again ever more seldom, the same, and then the error is gone", () => {
    answer = () => (sent.length < 3 ? { sent: false, error: "it answered 503" } : { sent: true });
    model.advance(5 * MINUTE);
    expect(status().receivers).toMatchObject([{ name: "hook", error: "it answered 503" }]);
    model.advance(5 * MINUTE);
    expect(sent.map((line) => line.split(" ")[0])).toEqual(["300", "310", "330", "370"]);
    expect(new Set(ids).size).toBe(1);
    expect(status()).toMatchObject({ deliveries: [], receivers: [{ name: "hook", sentAt: expect.any(Number) }] });
    expect(status().receivers[0]?.error).toBeUndefined();
  });

  test("that nobody ever takes is given up, and that is told", () => {
    answer = () => ({ sent: false, error: "it cannot be reached" });
    model.advance(11 * 60 * MINUTE);
    expect(sent).toHaveLength(14);
    expect(status()).toMatchObject({ deliveries: [], receivers: [{ error: "it cannot be reached; given up" }] });
    expect(model.events.at(-1)).toMatchObject({ reason: "AlertNotSent", message: expect.stringContaining("given up") });
  });

  test("whose outcome cannot be written is not sent again for that: the outcome is asked for once more", () => {
    const apply = model.apply.bind(model);
    const refused = new ApiError(500, "InternalError", "failed calling webhook");
    model.apply = (intent, by) => (intent.do === "together" ? refused : apply(intent, by));
    model.advance(6 * MINUTE);
    expect(prints.length).toBeGreaterThan(2);
    expect(status().deliveries).toMatchObject([{ attempts: 0 }]);
    model.apply = apply;
    model.advance(20 * MINUTE);
    expect(status()).toMatchObject({ deliveries: [], receivers: [{ sentAt: expect.any(Number) }] });
    expect(new Set(prints)).toEqual(new Set([prints[0]]));
  });

  test("that was on its way when the memory went is sent again with its id", () => {
    answer = () => "lost";
    model.advance(5 * MINUTE);
    expect(sent).toHaveLength(1);
    expect(status().deliveries).toHaveLength(1);
    answer = () => ({ sent: true });
    model.advance(MINUTE);
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(status().deliveries).toEqual([]);
  });

  test("comes after the one before it", () => {
    answer = () => ({ sent: false, error: "no" });
    model.advance(6 * MINUTE);
    model.setNodeReady("node-a", "True");
    model.advance(6 * MINUTE);
    const { deliveries, messages } = status();
    const told = deliveries.map(({ id }) => [messages[id]?.firing.length, messages[id]?.resolved.length]);
    expect(told).toEqual([
      [1, 0],
      [0, 1],
    ]);
    answer = () => ({ sent: true });
    model.advance(10 * MINUTE);
    expect(sent.slice(-2).map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      "hook c: node-offline: Node node-a",
      "hook c: node-offline is over: Node node-a",
    ]);
  });

  test("goes to nobody any more when its receiver is gone", () => {
    answer = () => ({ sent: false, error: "no" });
    model.advance(6 * MINUTE);
    configure({});
    expect(status()).toMatchObject({ deliveries: [], receivers: [] });
    expect(firing()).toEqual(["node-offline Node/node-a"]);
  });

  test("has what its receiver is known by", () => {
    const metadata = { name: ALERTS_SECRET, namespace: ALERTS_NAMESPACE };
    model.create(Secret, { metadata, data: { token: "dA==" } } as Secret);
    const seen: Order[] = [];
    answer = (order) => {
      seen.push(order);
      return { sent: true };
    };
    model.advance(5 * MINUTE);
    expect(seen[0]?.secrets).toEqual({ token: "dA==" });
  });
});

test("a browser that is subscribed is told, and forgotten when its subscription has ended", () => {
  const metadata = { name: ALERTS_PUSH_SECRET, namespace: ALERTS_NAMESPACE };
  const data = { "subscription-a": "e30=", "subscription-b": "e30=", [VAPID_KEY]: "e30=" };
  model.create(Secret, { metadata, data } as Secret);
  model.addNode("node-a");
  model.setNodeReady("node-a", "Unknown");
  answer = ({ receiver }) =>
    receiver.name === "browser/a" ? { sent: true } : { sent: false, error: "it answered 410", gone: true };
  model.advance(6 * MINUTE);
  expect(sent.map((line) => line.split(" ")[1]).toSorted()).toEqual(["browser/a", "browser/b"]);
  expect(Object.keys(model.get(Secret, ALERTS_PUSH_SECRET, ALERTS_NAMESPACE)?.data ?? {})).toEqual([
    "subscription-a",
    VAPID_KEY,
  ]);
  expect(status()).toMatchObject({ deliveries: [], receivers: [{ name: "browser/a" }] });
});

test("whose browser it is stands in the status, and it is forgotten with its user's account", () => {
  const account = { metadata: { namespace: "default", name: "guest-x" } } as ServiceAccount;
  model.create(ServiceAccount, account);
  const of = (user: string) => btoa(JSON.stringify({ endpoint: "https://push.example", user, device: "Firefox" }));
  const metadata = { name: ALERTS_PUSH_SECRET, namespace: ALERTS_NAMESPACE };
  const data = { "subscription-a": of("system:serviceaccount:default:guest-x"), "subscription-b": of("jane") };
  model.create(Secret, { metadata, data } as Secret);
  model.rest();
  expect(status().receivers).toMatchObject([
    { name: "browser/a", user: "system:serviceaccount:default:guest-x", device: "Firefox" },
    { name: "browser/b", user: "jane" },
  ]);
  model.delete(ServiceAccount, account);
  model.rest();
  expect(status().receivers).toMatchObject([{ name: "browser/b" }]);
  expect(model.get(Secret, ALERTS_PUSH_SECRET, ALERTS_NAMESPACE)?.data).toEqual({ "subscription-b": of("jane") });
});

test("receivers hear of what they are for", () => {
  configure({
    receivers: `
      - { name: all, webhook: { url: http://192.0.2.7/ } }
      - { name: errors, webhook: { url: http://192.0.2.7/ }, severity: error }
      - { name: disks, webhook: { url: http://192.0.2.7/ }, rules: [disk-filling] }`,
  });
  model.addNode("node-a");
  model.edit(
    Node,
    { metadata: { name: "node-a" } } as Node,
    (node) => {
      const lastTransitionTime = timestamp(model.now);
      node.status?.conditions?.push({ type: "DiskPressure", status: "True", lastTransitionTime });
    },
    "status",
  );
  model.advance(2 * MINUTE);
  expect(sent.map((line) => line.split(" ")[1])).toEqual(["all", "disks"]);
});

test("a test message goes to all, once for each time that somebody asks", () => {
  configure({ receivers: RECEIVERS });
  const ask = (value: string) => {
    const map = model.get(ConfigMap, ALERTS_CONFIG, ALERTS_NAMESPACE) as ConfigMap;
    model.edit(ConfigMap, map, (copy) => Object.assign(copy.metadata, { annotations: { [TEST_ANNOTATION]: value } }));
    model.rest();
  };
  ask("1");
  configure({ receivers: RECEIVERS, timing: "{}" });
  expect(sent).toEqual(["0 hook c: test: Cluster test"]);
  model.advance(1000);
  ask("2");
  expect(sent).toHaveLength(2);
});

test("a Gateway is looked at when it shows other certificates", () => {
  const { keysForAny } = alertController({ send: () => undefined });
  const gateway = (...names: string[]) => ({
    metadata: { namespace: "infra", name: "front" },
    spec: { listeners: [{ tls: { certificateRefs: names.map((name) => ({ name })) } }] },
  });
  const keys = (...[now, old]: object[]) => [
    ...(keysForAny?.({ groupResource: GATEWAYS } as Kind, now ?? {}, old, "MODIFIED", model.view) ?? []),
  ];
  expect(keys(gateway("a"))).toEqual(["/"]);
  expect(keys(gateway("a"), gateway("a"))).toEqual([]);
  expect(keys(gateway("a", "b"), gateway("a"))).toEqual(["/"]);
  expect(keys(gateway())).toEqual([]);
});

test("a cluster that is well writes nothing and waits for nothing", () => {
  model.addNode("node-a");
  pod("fine", running());
  model.advance(24 * 60 * MINUTE);
  expect(model.get(ConfigMap, ALERTS_STATUS, ALERTS_NAMESPACE)).toBeUndefined();
  expect(model.deadlines).toEqual([]);
});
