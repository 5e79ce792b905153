import { describe, expect, test } from "vitest";
import type { FlowSchema } from "../../kinds/flowcontrol/flow-schema.ts";
import { requestInfo } from "../http/request-info.ts";
import type { User } from "../request.ts";
import { session } from "../testing/session.ts";
import { Drops } from "./drops.ts";
import { Fairness } from "./fairness.ts";
import { hand } from "./hand.ts";
import { levelsOf } from "./levels.ts";
import { distinguisher, matchesSchema } from "./match.ts";

const user = (name: string, ...groups: string[]): User => ({ name, groups: [...groups, "system:authenticated"] });
const alice = user("alice");
const info = (method: string, path: string) => requestInfo(method, new URL(path, "http://localhost"));

type Rule = NonNullable<NonNullable<FlowSchema["spec"]>["rules"]>[number];
const EVERYTHING = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true };
const everyone: Rule["subjects"] = [{ kind: "Group", group: { name: "*" } }];
const schema = (rule: Partial<Rule>): FlowSchema => ({
  metadata: { name: "s" },
  spec: {
    matchingPrecedence: 100,
    priorityLevelConfiguration: { name: "l" },
    rules: [{ subjects: everyone, resourceRules: [EVERYTHING], ...rule }],
  },
});
const pods = info("GET", "/api/v1/namespaces/shop/pods/p");

describe("a FlowSchema matches by", () => {
  const subjects: [Rule["subjects"][number], User, boolean][] = [
    [{ kind: "User", user: { name: "alice" } }, alice, true],
    [{ kind: "User", user: { name: "*" } }, alice, true],
    [{ kind: "User", user: { name: "bob" } }, alice, false],
    [{ kind: "Group", group: { name: "devs" } }, user("alice", "devs"), true],
    [{ kind: "Group", group: { name: "devs" } }, alice, false],
    [
      { kind: "ServiceAccount", serviceAccount: { namespace: "shop", name: "*" } },
      user("system:serviceaccount:shop:web"),
      true,
    ],
    [
      { kind: "ServiceAccount", serviceAccount: { namespace: "shop", name: "*" } },
      user("system:serviceaccount:shopping:web"),
      false,
    ],
    [
      { kind: "ServiceAccount", serviceAccount: { namespace: "shop", name: "web" } },
      user("system:serviceaccount:shop:web"),
      true,
    ],
    [
      { kind: "ServiceAccount", serviceAccount: { namespace: "shop", name: "web" } },
      user("system:serviceaccount:shop:web2"),
      false,
    ],
  ];
  test.each(subjects)("subject %j of %j: %s", (subject, who, matches) => {
    expect(matchesSchema(schema({ subjects: [subject] }), who, pods)).toBe(matches);
  });

  const requests: [Partial<typeof EVERYTHING>, string, string, boolean][] = [
    [{}, "GET", "/api/v1/nodes", true],
    [{ clusterScope: false }, "GET", "/api/v1/nodes", false],
    [{ clusterScope: false }, "GET", "/api/v1/pods", false],
    [{ namespaces: ["shop"] }, "GET", "/api/v1/namespaces/shop/pods", true],
    [{ namespaces: ["shop", "*"] }, "GET", "/api/v1/namespaces/other/pods", false],
    [{ verbs: ["list"] }, "GET", "/api/v1/namespaces/shop/pods", true],
    [{ verbs: ["list"] }, "GET", "/api/v1/namespaces/shop/pods/p", false],
    [{ resources: ["pods"] }, "GET", "/api/v1/namespaces/shop/pods/p/status", false],
    [{ resources: ["pods/status"] }, "GET", "/api/v1/namespaces/shop/pods/p/status", true],
    [{ apiGroups: ["apps"] }, "GET", "/apis/apps/v1/namespaces/shop/deployments", true],
    [{ apiGroups: ["apps"] }, "GET", "/api/v1/namespaces/shop/pods", false],
    [{}, "GET", "/version", false],
  ];
  test.each(requests)("%j and %s %s: %s", (more, method, path, matches) => {
    expect(matchesSchema(schema({ resourceRules: [{ ...EVERYTHING, ...more }] }), alice, info(method, path))).toBe(
      matches,
    );
  });

  const urls: [string, string, boolean][] = [
    ["*", "/anything", true],
    ["/healthz", "/healthz", true],
    ["/healthz", "/healthz/etcd", true],
    ["/healthz/*", "/healthz/etcd", true],
    ["/healthz", "/healthzy", false],
    ["/apis/*", "/apis", false],
  ];
  test.each(urls)("URL %s and %s: %s", (url, path, matches) => {
    const rule = { resourceRules: [], nonResourceRules: [{ verbs: ["get"], nonResourceURLs: [url] }] };
    expect(matchesSchema(schema(rule), alice, info("GET", path))).toBe(matches);
  });

  test("flows of one schema are told apart by its method", () => {
    const by = (type: string) => ({ spec: { ...schema({}).spec, distinguisherMethod: { type } } }) as FlowSchema;
    expect(distinguisher(by("ByUser"), alice, pods)).toBe("alice");
    expect(distinguisher(by("ByNamespace"), alice, pods)).toBe("shop");
    expect(distinguisher(schema({}), alice, pods)).toBe("");
  });
});

test("a hand has different queues, the same for one flow, and flows hardly ever share all of them", () => {
  const hands = Array.from({ length: 500 }, (_, i) => hand(`flow-${i}`, 64, 6));
  for (const dealt of hands) {
    expect(new Set(dealt).size).toBe(6);
    expect(Math.min(...dealt)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...dealt)).toBeLessThan(64);
  }
  expect(hand("flow-0", 64, 6)).toEqual(hands[0]);
  expect(new Set(hands.map((dealt) => dealt.toSorted().join())).size).toBe(500);
  expect(new Set(hands.flat()).size).toBe(64);
  expect(hand("x", 3, 3).toSorted()).toEqual([0, 1, 2]);
});

test("refused clients are told to wait twice as long while many are refused, and less once few are", () => {
  const drops = new Drops();
  let now = 1_000_000;
  const second = (refusals: number) => {
    now += 1000;
    return Array.from({ length: refusals }, () => drops.record(now)).at(-1) ?? 0;
  };
  expect(second(10)).toBe(1);
  expect(second(10)).toBe(2);
  for (let i = 0; i < 100; i++) second(200);
  expect(second(200)).toBe(32);
  now += 60_000;
  expect(second(1)).toBe(31);
});

describe("with what a cluster stores", () => {
  const classify = (fairness: Fairness, who: User, method: string, path: string) =>
    fairness.classify(new Request("http://localhost"), who, info(method, path));
  const uidsOf = (ok: ReturnType<typeof session>["ok"], schemaName: string, levelName: string) => {
    const uid = (resource: string, name: string) =>
      (ok("GET", `/apis/flowcontrol.apiserver.k8s.io/v1/${resource}/${name}`) as { metadata: { uid: string } }).metadata
        .uid;
    return { schemaUid: uid("flowschemas", schemaName), levelUid: uid("prioritylevelconfigurations", levelName) };
  };

  function prepared() {
    const { engine, ok, store } = session();
    const at = "/apis/flowcontrol.apiserver.k8s.io/v1";
    const limited = (shares: number, limitResponse: object) => ({
      spec: { type: "Limited", limited: { nominalConcurrencyShares: shares, limitResponse } },
    });
    const level = (name: string, body: object) =>
      ok("POST", `${at}/prioritylevelconfigurations`, { metadata: { name }, ...body });
    level("own", limited(30, { type: "Queue", queuing: { queues: 16, handSize: 4, queueLengthLimit: 5 } }));
    level("other", limited(30, { type: "Reject" }));
    const flowSchema = (name: string, precedence: number, levelName: string, subject: object) =>
      ok("POST", `${at}/flowschemas`, {
        metadata: { name },
        spec: {
          matchingPrecedence: precedence,
          priorityLevelConfiguration: { name: levelName },
          distinguisherMethod: { type: "ByUser" },
          rules: [{ subjects: [subject], resourceRules: [EVERYTHING] }],
        },
      });
    flowSchema("second", 500, "other", { kind: "Group", group: { name: "system:authenticated" } });
    flowSchema("first", 400, "own", { kind: "User", user: { name: "alice" } });
    flowSchema("nowhere", 300, "missing", { kind: "User", user: { name: "alice" } });
    return { ok, at, fairness: new Fairness(engine.view, store), flowSchema };
  }

  test("the first that matches decides, and those without their level do not count", () => {
    const { ok, fairness } = prepared();
    const flow = classify(fairness, alice, "GET", "/api/v1/pods");
    expect(flow).toMatchObject(uidsOf(ok, "first", "own"));
    expect(new Set(flow.hand).size).toBe(4);
    expect(flow.level.rules).toMatchObject({ exempt: false, shares: 30, queuing: { queueLengthLimit: 5 } });
    expect(classify(fairness, user("bob"), "GET", "/api/v1/pods")).toMatchObject(uidsOf(ok, "second", "other"));
    expect(classify(fairness, alice, "GET", "/api/v1/pods")).toBe(flow);
  });

  test("long paths are judged each time, and not remembered", () => {
    const { fairness } = prepared();
    const [first, second] = [1, 2].map(() => classify(fairness, alice, "GET", `/healthz/${"x".repeat(2000)}`));
    expect(first).toEqual(second);
    expect(first).not.toBe(second);
  });

  test("what is mandatory counts where it is not stored", () => {
    const { fairness } = prepared();
    expect(classify(fairness, user("root", "system:masters"), "GET", "/api/v1/pods").level.rules.exempt).toBe(true);
    const rest = classify(fairness, alice, "GET", "/version");
    expect(rest).toMatchObject({ schemaUid: "", level: { rules: { shares: 5 } } });
    expect(rest.level.rules.queuing).toBeUndefined();
    // 600 seats by shares: 30, 30, 5 and none.
    expect(rest.level.rules.seats).toBe(Math.ceil((600 * 5) / 65));
  });

  test("metrics say how many seats each level has", () => {
    expect(prepared().fairness.metrics()).toContain(
      "# TYPE apiserver_flowcontrol_nominal_limit_seats gauge\n" +
        'apiserver_flowcontrol_nominal_limit_seats{priority_level="catch-all"} 47\n' +
        'apiserver_flowcontrol_nominal_limit_seats{priority_level="exempt"} 0\n' +
        'apiserver_flowcontrol_nominal_limit_seats{priority_level="other"} 277\n',
    );
  });

  test("levels none of which has a share have no seats", () => {
    const none = { limited: { nominalConcurrencyShares: 0, limitResponse: { type: "Reject" } } };
    const levels = levelsOf([
      { metadata: { name: "catch-all" }, spec: { type: "Limited", ...none } },
      { metadata: { name: "own" }, spec: { type: "Limited", ...none } },
    ]);
    expect([...levels.values()].map(({ rules }) => rules.seats)).toEqual([0, 0, 0]);
  });

  test("changes count at once, and keep who waits", () => {
    const { ok, at, fairness, flowSchema } = prepared();
    const before = classify(fairness, alice, "GET", "/api/v1/pods");
    ok("PATCH", `${at}/prioritylevelconfigurations/own`, { spec: { limited: { nominalConcurrencyShares: 60 } } });
    expect(classify(fairness, alice, "GET", "/api/v1/pods").level).toBe(before.level);
    expect(before.level.rules.shares).toBe(60);
    flowSchema("zeroth", 200, "other", { kind: "User", user: { name: "alice" } });
    expect(classify(fairness, alice, "GET", "/api/v1/pods")).toMatchObject(uidsOf(ok, "zeroth", "other"));
    ok("DELETE", `${at}/flowschemas/zeroth`);
    expect(classify(fairness, alice, "GET", "/api/v1/pods")).toMatchObject(uidsOf(ok, "first", "own"));
  });
});
