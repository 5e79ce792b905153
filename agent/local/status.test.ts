import { expect, test } from "vitest";
import { NO_ALERTS } from "../../worker/lib/facts/alerts.ts";
import { HttpError } from "./http.ts";
import { nextStep } from "./next-step.ts";
import { machineProblems, type Status, shown } from "./status.ts";

const status: Status = {
  cluster: { server: "https://127.0.0.1:6443", version: "v1.35.4" },
  machine: { name: "vm", home: "/var/lib/skerry", controlPlane: 12, agent: 34, node: "attic" },
  nodes: [
    { name: "attic", status: "Ready", version: "v1", address: "192.0.2.1", ways: "van=relay", pods: 3 },
    { name: "van", status: "NotReady", version: "", address: "", ways: "", pods: 0 },
  ],
  problems: [{ severity: "error", kind: "Pod", namespace: "shop", name: "web", cause: "It ends.", remedy: "Mend it." }],
  alerts: NO_ALERTS,
  unseen: ["daemonsets"],
};
const NOW = Date.parse("2026-01-01T01:00:00Z");

test("cluster, machine, nodes and what is wrong are told, each with its remedy", () => {
  expect(shown(status, NOW)).toBe(`cluster   https://127.0.0.1:6443  v1.35.4
machine   attic in /var/lib/skerry, control plane runs (pid 12), agent runs (pid 34)

NODE    STATUS     VERSION   ADDRESS     PODS   WAYS
attic   Ready      v1        192.0.2.1   3      van=relay
van     NotReady   -         -           0      -

error  Pod shop/web
  It ends.
  → Mend it.

not looked at, for want of permission: daemonsets
`);
});

test("a cluster that is well says so, and one that gave no answer does not", () => {
  expect(shown({ ...status, problems: [], unseen: [] }, NOW)).toContain("nothing is wrong that the cluster knows of\n");
  expect(shown({ nodes: [], problems: [], alerts: NO_ALERTS, unseen: [] }, NOW)).toBe("");
});

test("what others wrote into the cluster is shown in letters", () => {
  const cause = "Its image \u001b[2Jnothing\nis wrong cannot be pulled.";
  const problems = status.problems.map((problem) => ({ ...problem, cause, name: "we\u001bb" }));
  const [node] = status.nodes;
  const told = shown({ ...status, nodes: node ? [{ ...node, version: "v1\u001b[31m" }] : [], problems }, NOW);
  expect(told).not.toContain("\u001b");
  expect(told).toContain("Its image \\u001b[2Jnothing\\u000ais wrong cannot");
});

test("what should run on this machine and does not is wrong", () => {
  const machine = { name: "vm", home: "/srv", node: "attic" };
  const causes = (more: object) => machineProblems({ ...machine, ...more }).map(({ cause }) => cause);
  expect(causes({ controlPlane: 1, agent: 2 })).toEqual([]);
  expect(causes({ controlPlane: null, agent: 2 })).toEqual([]);
  expect(causes({ controlPlane: undefined, agent: undefined })).toEqual(["The control plane in /srv does not run."]);
  expect(causes({ controlPlane: null, agent: undefined })).toEqual([expect.stringContaining("agent of node attic")]);
});

test("where the control plane was started without an agent, a node that was here before is only warned of", () => {
  const machine = { name: "vm", home: "/srv", node: "attic", controlPlane: 1 };
  expect(machineProblems(machine)).toMatchObject([{ severity: "error" }]);
  expect(machineProblems({ ...machine, alone: true })).toMatchObject([{ severity: "warning" }]);
  expect(machineProblems({ ...machine, alone: true, agent: 2 })).toEqual([]);
});

const failure = (code: string, message = "") => Object.assign(new Error(message), { code });
const refused = (code: number, path: string) => new HttpError("GET", path, { code, body: {}, text: "" });

test.each([
  [refused(401, "/skerry/join"), "skerry token create"],
  [refused(409, "/skerry/join"), "--node-name"],
  [refused(401, "/api/v1/nodes"), "skerry kubeconfig"],
  [refused(403, "/api/v1/nodes"), "auth can-i"],
  [failure("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:6443"), "skerry up"],
  [failure("ECONNREFUSED", "connect ECONNREFUSED 192.0.2.1:6443"), "skerry status"],
  [failure("ECONNREFUSED", "connect ECONNREFUSED ::1:6443"), "skerry up"],
  [failure("ECONNREFUSED", "connect ECONNREFUSED fd00::1:6443"), "skerry status"],
  [failure("ECONNREFUSED", "connect ECONNREFUSED fd00::12:6443"), "skerry status"],
  [failure("ENOTFOUND"), "skerry doctor"],
  [new Error("no answer from 192.0.2.1:6443 in 30 s"), "skerry doctor"],
  [failure("CERT_NOT_YET_VALID"), "clock"],
  [failure("SELF_SIGNED_CERT_IN_CHAIN"), "--ca-hash"],
  [new Error("192.0.2.1:6443 presents no certificate with the hash sha256:1"), "one `skerry token create`"],
  [failure("ENOSPC"), "skerry doctor"],
  [refused(422, "/skerry/join"), "--node-name"],
  [refused(404, "/skerry/tokens/x"), "skerry token list"],
  [refused(404, "/skerry/volumes/shop/x"), "kubectl get pvc"],
  [refused(404, "/api/v1/namespaces/skerry-system/configmaps/agent-rollout"), "skerry upgrade"],
  [failure("ENOENT", "ENOENT: no such file or directory, open 'x.tar'"), "check the path"],
  [failure("ENOTDIR"), "SKERRY_HOME"],
  [failure("EPROTO"), "http://"],
])("%s has a next step", (error, words) => {
  expect(nextStep(error)).toContain(words);
});

test("of what nobody knows more nothing is said", () => {
  expect(
    [refused(404, "/api/v1/pods/x"), new Error("?"), "words", undefined, failure("ENOENT", "spawn x ENOENT")].map(
      nextStep,
    ),
  ).toEqual(Array(5).fill(undefined));
});

test("what fires is told with whether anybody was, and whom it could not be told", () => {
  const alert = {
    rule: "node-offline",
    severity: "error",
    kind: "Node",
    name: "van",
    cause: "",
    remedy: "",
    since: 0,
    firedAt: NOW - 60_000,
  } as const;
  const alerts = {
    alerts: [alert, { ...alert, name: "attic", toldAt: NOW }],
    more: 0,
    receivers: [{ name: "phone", type: "ntfy", error: "it answered 403" }],
  };
  expect(shown({ nodes: [], problems: [], alerts, unseen: [] }, NOW)).toBe(`ALERT          ABOUT        FIRES FOR   TOLD
node-offline   Node van     60s         no
node-offline   Node attic   60s         yes
receiver phone: it answered 403
`);
});
