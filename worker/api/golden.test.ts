import { describe, expect, test } from "vitest";
import admission from "./testdata/admission.json" with { type: "json" };
import apply from "./testdata/apply.json" with { type: "json" };
import auth from "./testdata/auth.json" with { type: "json" };
import crds from "./testdata/crds.json" with { type: "json" };
import discovery from "./testdata/discovery.json" with { type: "json" };
import identity from "./testdata/identity.json" with { type: "json" };
import lists from "./testdata/lists.json" with { type: "json" };
import negotiation from "./testdata/negotiation.json" with { type: "json" };
import objects from "./testdata/objects.json" with { type: "json" };
import patches from "./testdata/patches.json" with { type: "json" };
import refusals from "./testdata/refusals.json" with { type: "json" };
import services from "./testdata/services.json" with { type: "json" };
import subresources from "./testdata/subresources.json" with { type: "json" };
import watch from "./testdata/watch.json" with { type: "json" };
import wire from "./testdata/wire.json" with { type: "json" };
import { testCluster } from "./testing/cluster.ts";
import { type Case, replay } from "./testing/golden.ts";

const cluster = testCluster();

describe.each([
  admission,
  apply,
  auth,
  crds,
  discovery,
  identity,
  lists,
  negotiation,
  objects,
  patches,
  refusals,
  services,
  subresources,
  watch,
  wire,
] as unknown as { cases: Case[] }[])("as kube-apiserver answers", ({ cases }) => {
  test.each(cases)("$area: $name", async (recorded) => {
    const { ask, send } = await cluster;
    const ns = `${recorded.name}-abcd`;
    await ask("POST", "/api/v1/namespaces", { metadata: { name: ns, labels: recorded.namespaceLabels } });
    await ask("POST", `/api/v1/namespaces/${ns}/serviceaccounts`, { metadata: { name: "default" } });
    expect(await replay(send, recorded, ns)).toEqual([]);
  });
});
