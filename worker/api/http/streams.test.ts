import { describe, expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

const pods = "/api/v1/namespaces/default/pods";
const admin = { authorization: "Bearer admin" };

async function prepared() {
  const cluster = await testCluster();
  const { ask, api } = cluster;
  await ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  const container = (name: string) => ({ name, image: "busybox" });
  const make = (name: string, spec: object) => ask("POST", pods, { metadata: { name }, spec });
  await make("one", { nodeName: "n1", containers: [container("c")] });
  await make("two", { nodeName: "n1", containers: [container("c"), container("d")], initContainers: [container("i")] });
  await make("pending", { containers: [container("c")] });
  await ask(
    "PATCH",
    `${pods}/one/status`,
    {
      status: {
        phase: "Running",
        containerStatuses: [
          { name: "c", image: "", imageID: "", ready: true, restartCount: 0, state: { running: {} } },
        ],
      },
    },
    { "content-type": "application/merge-patch+json" },
  );
  const open = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await api.authorizeStream(
      new Request(`https://cluster${path}`, { headers: { ...admin, ...headers } }),
    );
    return answer instanceof Response
      ? {
          code: answer.status,
          message: answer.status === 204 ? "" : ((await answer.json()) as { message: string }).message,
        }
      : answer;
  };
  return { ...cluster, open };
}

describe("streams", async () => {
  const { open, ask } = await prepared();
  const v5 = { "sec-websocket-protocol": "v4.channel.k8s.io, v5.channel.k8s.io" };

  test("exec is granted to the pod's node, with the best protocol both speak", async () => {
    expect(await open(`${pods}/one/exec?command=ls&command=-l&stdout=1`, v5)).toMatchObject({
      node: "n1",
      stream: {
        kind: "exec",
        namespace: "default",
        pod: "one",
        container: "c",
        query: [
          ["command", "ls"],
          ["command", "-l"],
          ["stdout", "1"],
        ],
        subprotocol: "v5.channel.k8s.io",
      },
    });
  });

  test.each([
    [
      "two/exec?command=ls",
      "a container name must be specified for pod two, choose one of: [c d] or one of the init containers: [i]",
    ],
    [
      "two/log",
      "a container name must be specified for pod two, choose one of: [c d] or one of the init containers: [i]",
    ],
    ["one/exec?command=ls&container=x", "container x is not valid for pod one"],
    ["pending/exec?command=ls", "pod pending does not have a host assigned"],
    ["pending/portforward", "pod pending does not have a host assigned"],
    ["two/log?container=d", 'container "d" in pod "two" is waiting to start: ContainerCreating'],
    ["one/log?previous=true", 'previous terminated container "c" in pod "one" not found'],
  ])("%s is a bad request", async (path, message) => {
    expect(await open(`${pods}/${path}`, v5)).toEqual({ code: 400, message });
  });

  test("the log of a pod without a node is empty, of no pod not found", async () => {
    expect(await open(`${pods}/pending/log`)).toMatchObject({ code: 204 });
    expect(await open(`${pods}/none/log`)).toEqual({ code: 404, message: 'pods "none" not found' });
  });

  test("a running container's log is granted", async () => {
    expect(await open(`${pods}/one/log?follow=true&tailLines=5`)).toMatchObject({
      node: "n1",
      stream: { kind: "log", subprotocol: "" },
    });
  });

  test("older protocols are agreed to when a client offers no newer one", async () => {
    const agreed = async (path: string, offered: string) =>
      (await open(`${pods}/one/${path}`, { "sec-websocket-protocol": offered })) as { stream: { subprotocol: string } };
    expect((await agreed("exec?command=ls", "channel.k8s.io")).stream.subprotocol).toBe("channel.k8s.io");
    expect((await agreed("log", "binary.k8s.io")).stream.subprotocol).toBe("binary.k8s.io");
  });

  test("a client that speaks no protocol of ours is told both sides", async () => {
    expect(await open(`${pods}/one/portforward`, { "sec-websocket-protocol": "x" })).toMatchObject({
      code: 400,
      message: expect.stringContaining(
        "client supports [x], server accepts [SPDY/3.1+portforward.k8s.io v4.channel.k8s.io]",
      ),
    });
  });

  test("by channels, ports are forwarded that the query names", async () => {
    const byChannels = { "sec-websocket-protocol": "v4.channel.k8s.io" };
    const refused = (message: string) => ({ code: 400, message });
    const path = `${pods}/one/portforward`;
    expect(await open(path, byChannels)).toMatchObject(refused('query parameter "port" is required'));
    expect(await open(`${path}?ports=0`, byChannels)).toMatchObject(refused('port "0" must be > 0'));
    expect(await open(`${path}?ports=80,81`, byChannels)).toMatchObject({
      stream: { subprotocol: "v4.channel.k8s.io" },
    });
  });

  test("a WebSocket needs the right to create, though it opens with GET", async () => {
    const rule = { apiGroups: [""], resources: ["pods/exec"], verbs: ["get"] };
    await ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", { metadata: { name: "look" }, rules: [rule] });
    await ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      metadata: { name: "look" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "look" },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "jane" }],
    });
    expect(await open(`${pods}/one/exec?command=ls`, { ...v5, "impersonate-user": "jane" })).toMatchObject({
      code: 403,
      message: expect.stringContaining('cannot create resource "pods/exec"'),
    });
  });

  test("without an upgrade, and over SPDY, the client learns what is needed", async () => {
    expect((await ask("POST", `${pods}/one/exec?command=ls`)).body.message).toBe("Upgrade request required");
    expect(
      (await ask("POST", `${pods}/one/exec?command=ls`, undefined, { upgrade: "SPDY/3.1" })).body.message,
    ).toContain("kubectl 1.31");
  });
});
