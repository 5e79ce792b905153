/** The audit log through `skerry audit`, also of a control plane that was killed. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, TestCluster } from "../support/cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
});
afterAll(async () => {
  await cluster?.stop();
});

const audit = async (...args: string[]) => {
  const { code, stdout, stderr } = await cluster.skerry("audit", ...args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
};

type Event = { verb: string; user: { username: string }; objectRef?: { resource: string; name?: string } };
const events = async (...args: string[]) => JSON.parse(await audit("--json", ...args)) as { items: Event[] };

describe("skerry audit", () => {
  test("prints what was done as a table, with where it came from", async () => {
    await cluster.ok("create configmap a --from-literal=x=y");
    await cluster.kubectl("create configmap a --from-literal=x=y");
    await cluster.ok("get configmaps");
    await cluster.kubectl("get configmaps --as=jane");
    // Failures and reads are written a moment later, many in one row.
    const [head, ...lines] = await eventually("all three are in the log", async () => {
      const table = (await audit("--since", "1h")).trimEnd().split("\n");
      return table.length > 3 && table;
    });
    expect(head).toMatch(/^TIME +USER +VERB +RESOURCE +NAMESPACE +NAME +ANSWER +FROM$/);
    expect(lines.map((line) => line.split(/ {3,}/).slice(1))).toEqual([
      ["kubernetes-admin", "create", "configmaps", "default", "a", "201", "127.0.0.1"],
      ["kubernetes-admin", "create", "configmaps", "default", "a", "409 AlreadyExists", "127.0.0.1"],
      ["kubernetes-admin as jane", "list", "configmaps", "default", "403 Forbidden", "127.0.0.1"],
    ]);
  });

  test("prints an audit.k8s.io/v1 EventList for programs, of what is asked for", async () => {
    await cluster.ok("create secret generic s --from-literal=a=b");
    await cluster.ok("get secret s");
    const list = await eventually("the read is in the log", async () => {
      const found = await events("--resource", "secrets", "--verb", "get");
      return found.items.length > 0 && found;
    });
    expect(list).toMatchObject({ kind: "EventList", apiVersion: "audit.k8s.io/v1" });
    expect(list.items.map(({ verb, objectRef }) => [verb, objectRef?.name])).toEqual([["get", "s"]]);
    expect((await events("--user", "nobody")).items).toEqual([]);
    expect((await events("--limit", "1")).items).toHaveLength(1);
  });

  test("has every write that was acknowledged before the control plane was killed", async () => {
    for (let round = 0; round < 3; round++) {
      await cluster.ok(["create", "configmap", `killed-${round}`]);
      await cluster.kill("workerd");
      await eventually(
        "the control plane answers",
        async () => (await cluster.kubectl("get --raw /readyz")).code === 0,
      );
    }
    const made = (await events("--resource", "configmaps", "--verb", "create")).items;
    expect(made.map(({ objectRef }) => objectRef?.name).filter((name) => name?.startsWith("killed-"))).toEqual([
      "killed-0",
      "killed-1",
      "killed-2",
    ]);
  });
});
