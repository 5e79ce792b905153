import { describe, expect, test } from "vitest";
import auth from "./testdata/auth.json" with { type: "json" };
import discovery from "./testdata/discovery.json" with { type: "json" };
import wire from "./testdata/wire.json" with { type: "json" };
import { testCluster } from "./testing/cluster.ts";
import { type Case, replay } from "./testing/golden.ts";

const cluster = testCluster();

describe.each([auth, discovery, wire] as unknown as { cases: Case[] }[])("as kube-apiserver answers", ({ cases }) => {
  test.each(cases)("$area: $name", async (recorded) => {
    const { ask, send } = await cluster;
    const ns = `${recorded.name}-abcd`;
    await ask("POST", "/api/v1/namespaces", { metadata: { name: ns } });
    await ask("POST", `/api/v1/namespaces/${ns}/serviceaccounts`, { metadata: { name: "default" } });
    expect(await replay(send, recorded, ns)).toEqual([]);
  });
});
