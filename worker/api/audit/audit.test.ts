import { describe, expect, test } from "vitest";
import { SqlJournal } from "../../storage/journal.ts";
import { nodeSql } from "../../storage/node-sql.ts";
import { openStore } from "../../storage/sqlite-store.ts";
import { testCluster } from "../testing/cluster.ts";
import type { AuditEvent } from "./event.ts";
import { readAudit, readQuery } from "./query.ts";
import { REPEATED } from "./repeats.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const SECRETS = "/api/v1/namespaces/default/secrets";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const named = (name: string) => ({ metadata: { name } });

async function audited() {
  const cluster = await testCluster();
  const { ask, store } = cluster;
  const events = (query = ""): AuditEvent[] => readAudit(store.journal, readQuery(new URLSearchParams(query))).events;
  const told = (query?: string) =>
    events(query).map(({ user, verb, objectRef, responseStatus }) =>
      [user.username ?? "-", verb, objectRef?.resource ?? "-", objectRef?.name ?? "-", responseStatus?.code].join(" "),
    );
  return { ...cluster, ask, events, told };
}

describe("the audit log", () => {
  test("says who changed what, in the form of audit.k8s.io/v1, and never what was sent", async () => {
    const { ask, events } = await audited();
    const headers = { "user-agent": "kubectl/v1", "audit-id": "my-own", "cf-connecting-ip": "192.0.2.1" };
    await ask("POST", SECRETS, { ...named("s"), stringData: { password: "the-password" } }, headers);
    expect(events()).toEqual([
      {
        level: "Metadata",
        auditID: "my-own",
        stage: "ResponseComplete",
        requestURI: SECRETS,
        verb: "create",
        user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
        sourceIPs: ["192.0.2.1"],
        userAgent: "kubectl/v1",
        objectRef: { resource: "secrets", namespace: "default", name: "s", uid: expect.any(String), apiVersion: "v1" },
        responseStatus: { metadata: {}, code: 201 },
        requestReceivedTimestamp: expect.stringMatching(/^2\d+-.*\.\d{6}Z$/),
        stageTimestamp: expect.any(String),
        annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
      },
    ]);
    expect(JSON.stringify(events())).not.toMatch(/the-password|dGhlLXBhc3N3b3Jk/);
  });

  test("has the Audit-ID that the answer names", async () => {
    const { ask, events } = await audited();
    const { headers } = await ask("POST", CONFIG_MAPS, named("a"));
    expect(events()[0]?.auditID).toBe(headers.get("audit-id"));
  });

  test("has writes, reads of Secrets and tokens; not other reads, nor questions, nor Events and Leases", async () => {
    const { ask, told } = await audited();
    await ask("POST", CONFIG_MAPS, { metadata: { generateName: "g-" } });
    await ask("GET", CONFIG_MAPS);
    await ask("GET", SECRETS);
    await ask("DELETE", CONFIG_MAPS);
    await ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      spec: { nonResourceAttributes: { path: "/", verb: "get" } },
    });
    await ask("POST", "/apis/coordination.k8s.io/v1/namespaces/default/leases", named("l"));
    await ask("POST", "/api/v1/namespaces/default/serviceaccounts", named("bob"));
    await ask("POST", "/api/v1/namespaces/default/serviceaccounts/bob/token", {});
    await ask("POST", "/skerry/tokens", {});
    await ask("GET", "/skerry/audit");
    expect(told()).toEqual([
      expect.stringMatching(/^kubernetes-admin create configmaps g-\w+ 201$/),
      "kubernetes-admin list secrets - 200",
      "kubernetes-admin deletecollection configmaps - 200",
      "kubernetes-admin create serviceaccounts bob 201",
      "kubernetes-admin create serviceaccounts bob 201",
      "kubernetes-admin post - - 201",
    ]);
  });

  test("leaves out what nodes do as kubelets do, but not those who act as a node", async () => {
    const { ask, api, told } = await audited();
    await ask("POST", "/api/v1/nodes", named("n"));
    const status = { status: { phase: "Running" } };
    const patch = () =>
      new Request("http://localhost/api/v1/nodes/n/status", {
        method: "PATCH",
        headers: { "content-type": "application/merge-patch+json" },
        body: JSON.stringify(status),
      });
    await api.call({ name: "system:node:n", groups: ["system:nodes", "system:authenticated"] }, patch());
    expect(told()).toEqual(["kubernetes-admin create nodes n 201"]);
    const as = { "impersonate-user": "system:node:n", "impersonate-group": "system:nodes" };
    await ask("PATCH", "/api/v1/nodes/n/status", status, { ...as, "content-type": "application/merge-patch+json" });
    expect(told().at(-1)).toBe("kubernetes-admin patch nodes n 200");
  });

  test("has connections when they begin, and not the reading of logs", async () => {
    const { ask, api, events } = await audited();
    await ask("POST", "/api/v1/namespaces/default/serviceaccounts", named("default"));
    const pods = "/api/v1/namespaces/default/pods";
    const spec = { nodeName: "n", containers: [{ name: "c", image: "busybox" }] };
    await ask("POST", pods, { ...named("p"), spec });
    const patch = { "content-type": "application/merge-patch+json" };
    await ask("PATCH", `${pods}/p/status`, { status: { phase: "Running", podIP: "10.244.0.2" } }, patch);
    const headers = { authorization: "Bearer admin", "sec-websocket-protocol": "v5.channel.k8s.io" };
    const open = async (what: string, more = {}) => {
      const answer = await api.authorizeStream(
        new Request(`http://localhost${pods}/p/${what}`, { headers: { ...headers, ...more } }),
      );
      return answer instanceof Response ? answer.status : answer.node;
    };
    expect(await open("exec?command=cat&command=/etc/passwd&stdout=1")).toBe("n");
    expect(await open("exec?command=ls", { "x-skerry-internal": "stream-check" })).toBe("n");
    await open("log");
    expect(events("resource=pods/exec")).toMatchObject([
      {
        stage: "ResponseStarted",
        requestURI: `${pods}/p/exec?command=cat&command=/etc/passwd&stdout=1`,
        verb: "get",
        objectRef: { resource: "pods", subresource: "exec", name: "p" },
        responseStatus: { code: 101 },
      },
    ]);
    expect(events("resource=pods/log")).toEqual([]);
    // A page of a program is many requests.
    for (let times = 0; times < 3; times++) await open("proxy/");
    expect(events("resource=pods/proxy")).toMatchObject([{ stage: "ResponseStarted", verb: "get" }]);
  });

  test("says as whom someone acted, and by which role that was allowed", async () => {
    const { ask, events } = await audited();
    const role = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
    const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }];
    await ask("POST", `${RBAC}/clusterrolebindings`, { ...named("jane-rules"), roleRef: role, subjects });
    await ask("POST", CONFIG_MAPS, named("of-jane"), { "impersonate-user": "jane" });
    expect(events().at(-1)).toMatchObject({
      user: { username: "kubernetes-admin" },
      impersonatedUser: { username: "jane", groups: ["system:authenticated"] },
      objectRef: { name: "of-jane" },
      annotations: {
        "authorization.k8s.io/decision": "allow",
        "authorization.k8s.io/reason":
          'RBAC: allowed by ClusterRoleBinding "jane-rules" of ClusterRole "cluster-admin" to User "jane"',
      },
    });
  });

  test("keeps short what a client says at length", async () => {
    const { ask, events } = await audited();
    const long = "long-".repeat(20_000);
    await ask("GET", `${CONFIG_MAPS}?labelSelector=a%3D${long}`, undefined, {
      "impersonate-user": "jane",
      "impersonate-group": long,
      "user-agent": long,
    });
    const [event] = events();
    expect(event?.annotations).toMatchObject({
      "authorization.k8s.io/decision": "forbid",
      "skerry.dev/truncated": "true",
    });
    expect(JSON.stringify(event).length).toBeLessThan(8000);
  });

  test("counts refusals: the first of a kind is told, and within a minute of the others their number", async () => {
    const { ask, events, clock } = await audited();
    const jane = { "impersonate-user": "jane" };
    for (let times = 0; times < 5; times++) expect((await ask("GET", CONFIG_MAPS, undefined, jane)).code).toBe(403);
    expect(events()).toHaveLength(1);
    expect(events()[0]).toMatchObject({
      impersonatedUser: { username: "jane" },
      responseStatus: { code: 403, reason: "Forbidden" },
      annotations: { "authorization.k8s.io/decision": "forbid" },
    });
    clock.now += 61_000;
    await ask("POST", CONFIG_MAPS, named("a"));
    expect(events().map(({ verb, annotations }) => [verb, annotations?.[REPEATED]])).toEqual([
      ["list", undefined],
      ["create", undefined],
      ["list", "4"],
    ]);
  });

  test("writes nothing of strangers, but their number with what is written anyway", async () => {
    const { ask, send, events, clock } = await audited();
    for (let times = 0; times < 3; times++) {
      await send(CONFIG_MAPS);
      await send("/wp-login.php", { method: "POST" });
      await send(CONFIG_MAPS, { headers: { authorization: "Bearer guessed" } });
    }
    expect(events()).toEqual([]);
    clock.now += 61_000;
    await ask("POST", CONFIG_MAPS, named("a"));
    const counted = events().filter(({ annotations }) => annotations?.[REPEATED] === "3");
    expect(counted.map(({ user, responseStatus }) => [user.username, responseStatus?.code])).toEqual([
      ["system:anonymous", 403],
      ["system:anonymous", 403],
      [undefined, 401],
    ]);
  });

  test("has what admission notes: Pod Security's levels, and policies that audit", async () => {
    const { ask, events } = await audited();
    const labels = { "pod-security.kubernetes.io/audit": "restricted" };
    await ask("POST", "/api/v1/namespaces", { metadata: { name: "held", labels } });
    await ask("POST", "/api/v1/namespaces/held/serviceaccounts", named("default"));
    const containers = [{ name: "c", image: "busybox" }];
    await ask("POST", "/api/v1/namespaces/held/pods", { ...named("p"), spec: { containers } });
    expect(events().at(-1)?.annotations).toMatchObject({
      "pod-security.kubernetes.io/enforce-policy": "privileged:latest",
      "pod-security.kubernetes.io/audit-violations": expect.stringContaining(
        'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
      ),
    });
    const policies = "/apis/admissionregistration.k8s.io/v1";
    await ask("POST", `${policies}/validatingadmissionpolicies`, {
      ...named("few"),
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
        },
        validations: [{ expression: "!has(object.data)", message: "no data" }],
        auditAnnotations: [{ key: "made", valueExpression: "'made ' + object.metadata.name" }],
      },
    });
    await ask("POST", `${policies}/validatingadmissionpolicybindings`, {
      ...named("few-everywhere"),
      spec: { policyName: "few", validationActions: ["Audit"] },
    });
    expect((await ask("POST", CONFIG_MAPS, { ...named("a"), data: { a: "b" } })).code).toBe(201);
    const { annotations = {} } = events().at(-1) ?? {};
    expect(annotations["few/made"]).toBe("made a");
    expect(JSON.parse(annotations["validation.policy.admission.k8s.io/validation_failure"] ?? "")).toEqual([
      {
        message: "no data",
        policy: "few",
        binding: "few-everywhere",
        expressionIndex: 0,
        validationActions: ["Audit"],
      },
    ]);
  });

  test("is found by user, verb, resource, namespace and time, and read by those whom RBAC lets", async () => {
    const { ask, clock, told } = await audited();
    await ask("POST", CONFIG_MAPS, named("a"));
    clock.now += 3_600_000;
    await ask("POST", "/apis/apps/v1/namespaces/default/controllerrevisions", { ...named("r"), revision: 1 });
    await ask("DELETE", `${CONFIG_MAPS}/a`);
    await ask("DELETE", `${CONFIG_MAPS}/a`);
    expect(told("verb=delete").map((line) => line.split(" ").at(-1))).toEqual(["200", "404"]);
    expect(told("resource=controllerrevisions.apps")).toHaveLength(1);
    expect(told("resource=configmaps/status")).toEqual([]);
    expect(told(`since=${new Date(clock.now - 1000).toISOString()}`)).toHaveLength(3);
    expect(told("namespace=default&user=kubernetes-admin")).toHaveLength(4);
    expect(told("user=jane")).toEqual([]);
    const { body } = await ask("GET", "/skerry/audit?verb=create");
    expect([body.kind, body.apiVersion, body.items.length]).toEqual(["EventList", "audit.k8s.io/v1", 2]);
    expect((await ask("GET", "/skerry/audit", undefined, { "impersonate-user": "jane" })).code).toBe(403);
    expect((await ask("GET", "/skerry/audit?since=yesterday")).code).toBe(400);
  });
});

describe("the journal", () => {
  const limits = { segmentLength: 100, maxLength: 250, maxSegments: 8, droppedAtOnce: 4 };

  test("fills rows one after another, also after a restart, and drops the oldest some at a time", () => {
    const sql = nodeSql(":memory:");
    openStore(sql);
    let journal = new SqlJournal(sql, limits);
    for (let n = 0; n < 200; n++) {
      if (n % 7 === 0) journal = new SqlJournal(sql, limits);
      journal.append(`line ${n}\n`, n);
      const rows = sql.all<{ n: number }>("SELECT COUNT(*) AS n FROM journal")[0]?.n ?? 0;
      expect(rows).toBeLessThan(limits.maxSegments + limits.droppedAtOnce);
    }
    const kept = journal.segments(undefined, 1000);
    expect(Math.max(...kept.map(({ lines }) => lines.length))).toBeLessThanOrEqual(limits.segmentLength);
    const lines = kept.toReversed().flatMap(({ lines: text }) => text.trim().split("\n"));
    const first = 200 - lines.length;
    expect(lines).toEqual(lines.map((_, at) => `line ${first + at}`));
  });

  test("takes much at once in rows that hold no more than they may, and counts it as much", () => {
    const sql = nodeSql(":memory:");
    openStore(sql);
    const journal = new SqlJournal(sql, limits);
    const line = (n: number) => `line ${String(n).padStart(4, "0")}\n`;
    for (let round = 0; round < 40; round++)
      journal.append(Array.from({ length: 70 }, (_, at) => line(round * 70 + at)).join(""), round);
    const kept = journal.segments(undefined, 1000);
    for (const { lines } of kept) expect(lines.length).toBeLessThanOrEqual(limits.maxLength);
    const text = kept
      .toReversed()
      .map(({ lines }) => lines)
      .join("");
    const most = (limits.maxSegments + limits.droppedAtOnce) * limits.segmentLength + limits.maxLength;
    expect(text.length).toBeLessThan(most);
    const last = 40 * 70;
    const count = text.length / line(0).length;
    expect(count).toBeGreaterThan(limits.maxSegments);
    expect(text).toBe(Array.from({ length: count }, (_, at) => line(last - count + at)).join(""));
  });

  test("pages go from the newest back, and miss and repeat nothing", async () => {
    const { ask, store } = await audited();
    for (let n = 0; n < 120; n++) await ask("POST", CONFIG_MAPS, named(`c-${n}`));
    const names: (string | undefined)[] = [];
    let next: string | undefined;
    let pages = 0;
    do {
      const query = new URLSearchParams({ limit: "10", ...(next && { continue: next }) });
      const page = readAudit(store.journal, readQuery(query));
      names.unshift(...page.events.map(({ objectRef }) => objectRef?.name));
      next = page.continue;
      pages++;
    } while (next);
    expect(pages).toBeGreaterThan(3);
    expect(names).toEqual(Array.from({ length: 120 }, (_, n) => `c-${n}`));
  });
});
