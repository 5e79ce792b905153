import { describe, expect, test } from "vitest";
import { testCluster } from "../../worker/api/testing/cluster.ts";
import { replay } from "../../worker/api/testing/golden.ts";
import { goldenFiles } from "./cases.ts";

const cluster = testCluster();

describe.each(goldenFiles())("as kube-apiserver answers: $file", ({ cases }) => {
  test.each(cases)("$area: $name", async (recorded) => {
    const { ask, send } = await cluster;
    const ns = `${recorded.name}-abcd`;
    await ask("POST", "/api/v1/namespaces", { metadata: { name: ns, labels: recorded.namespaceLabels } });
    await ask("POST", `/api/v1/namespaces/${ns}/serviceaccounts`, { metadata: { name: "default" } });
    expect(await replay(send, recorded, ns)).toEqual([]);
  });
});
