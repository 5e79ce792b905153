import { expect, test } from "vitest";
import type { Callout, CalloutAnswer } from "../../callouts/callouts.ts";
import { testCluster } from "../../testing/cluster.ts";

type Review = {
  apiVersion: string;
  request: Record<string, unknown> & { uid: string; object: Record<string, unknown> };
};
type Say = (review: Review["request"], asked: number) => object;

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1";
const MAPS = "/api/v1/namespaces/default/configmaps";
const patchOf = (...operations: object[]) => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: btoa(JSON.stringify(operations)),
});

/** A cluster whose webhooks all answer as `say` does; `asked` is what they were asked. */
async function cluster(say: Say | "unreachable") {
  const asked: Review["request"][] = [];
  const ask = async ({ body }: Callout): Promise<CalloutAnswer> => {
    if (say === "unreachable") return { failed: 'Post "https://hook.default.svc:443": connection refused' };
    const { apiVersion, request } = JSON.parse(body) as Review;
    asked.push(request);
    const response = { uid: request.uid, ...say(request, asked.length) };
    return { status: 200, body: JSON.stringify({ kind: "AdmissionReview", apiVersion, response }) };
  };
  const { ask: send } = await testCluster({ ask });
  await send("POST", "/api/v1/namespaces", { metadata: { name: "default", labels: { team: "a" } } });
  return { send, asked };
}

const hook = (name: string, more: object = {}) => ({
  name: `${name}.example.com`,
  clientConfig: { service: { name: "hook", namespace: "default" } },
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  rules: [{ operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
  ...more,
});

const configuration = (type: "mutating" | "validating", ...webhooks: object[]) =>
  [`${CONFIGURATIONS}/${type}webhookconfigurations`, { metadata: { name: "hooks" }, webhooks }] as const;

test("a webhook may refuse, in its own words, and nothing is written", async () => {
  const { send, asked } = await cluster(() => ({ allowed: false, status: { message: "not today", code: 403 } }));
  await send("POST", ...configuration("validating", hook("no")));
  const answer = await send("POST", MAPS, { metadata: { name: "a" } });
  expect(answer.code).toBe(403);
  expect(answer.body.message).toBe('admission webhook "no.example.com" denied the request: not today');
  expect((await send("GET", `${MAPS}/a`)).code).toBe(404);
  expect(asked[0]).toMatchObject({ operation: "CREATE", name: "a", namespace: "default", dryRun: false });
});

test("webhooks change what is written one after another, and defaults are filled in after them", async () => {
  const { send, asked } = await cluster((_, count) =>
    count === 1
      ? patchOf({ op: "add", path: "/data", value: { a: "1" } })
      : patchOf({ op: "add", path: "/data/b", value: "2" }),
  );
  await send("POST", ...configuration("mutating", hook("first"), hook("second")));
  expect((await send("POST", MAPS, { metadata: { name: "a" } })).body.data).toEqual({ a: "1", b: "2" });
  expect(asked.map(({ object }) => object.data)).toEqual([undefined, { a: "1" }]);
});

test("whoever asks for it is asked again when another has changed the object after it", async () => {
  const { send, asked } = await cluster((_, count) =>
    count === 2 ? patchOf({ op: "add", path: "/data", value: { late: "x" } }) : { allowed: true },
  );
  const again = hook("asks-again", { reinvocationPolicy: "IfNeeded" });
  await send("POST", ...configuration("mutating", again, hook("changes"), hook("never-again")));
  await send("POST", MAPS, { metadata: { name: "a" } });
  expect(asked.map(({ object }) => object.data)).toEqual([undefined, undefined, { late: "x" }, { late: "x" }]);
});

test("a webhook that cannot be reached fails the request, unless it may be ignored", async () => {
  const { send } = await cluster("unreachable");
  await send("POST", ...configuration("validating", hook("gone")));
  const answer = await send("POST", MAPS, { metadata: { name: "a" } });
  expect(answer.code).toBe(500);
  expect(answer.body.message).toContain('failed calling webhook "gone.example.com": failed to call webhook: Post');
  await send("DELETE", `${CONFIGURATIONS}/validatingwebhookconfigurations/hooks`);
  await send("POST", ...configuration("validating", hook("gone", { failurePolicy: "Ignore" })));
  expect((await send("POST", MAPS, { metadata: { name: "a" } })).code).toBe(201);
});

test("rules, selectors and scopes say which writes are asked about", async () => {
  const { send, asked } = await cluster(() => ({ allowed: true }));
  const rules = [
    { operations: ["DELETE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], scope: "Namespaced" },
  ];
  const namespaceSelector = { matchLabels: { team: "b" } };
  await send(
    "POST",
    ...configuration("validating", hook("deletes", { rules }), hook("elsewhere", { namespaceSelector })),
  );
  await send("POST", MAPS, { metadata: { name: "a" } });
  expect(asked).toEqual([]);
  await send("DELETE", `${MAPS}/a`);
  expect(asked).toEqual([expect.objectContaining({ operation: "DELETE", object: null })]);
  expect(asked[0]?.oldObject).toMatchObject({ metadata: { name: "a" } });
});

test("a dry run asks only webhooks without side effects", async () => {
  const { send } = await cluster(() => ({ allowed: true }));
  const path = `${CONFIGURATIONS}/validatingwebhookconfigurations`;
  const refused = await send("POST", path, {
    metadata: { name: "hooks" },
    webhooks: [hook("writes", { sideEffects: "Some" })],
  });
  expect(refused.body.message).toContain('Unsupported value: "Some": supported values: "None", "NoneOnDryRun"');
  await send("POST", ...configuration("validating", hook("reads")));
  const answer = await send("POST", `${MAPS}?dryRun=All`, { metadata: { name: "a" } });
  expect(answer.code).toBe(201);
});

test("configurations themselves are not asked about, or one could never be removed", async () => {
  const { send, asked } = await cluster(() => ({ allowed: false }));
  const rules = [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] }];
  await send("POST", ...configuration("validating", hook("all", { rules })));
  expect((await send("DELETE", `${CONFIGURATIONS}/validatingwebhookconfigurations/hooks`)).code).toBe(200);
  expect(asked).toEqual([]);
});

test("names that are made up, and times, stay the same while webhooks are asked", async () => {
  const { send, asked } = await cluster(() => ({ allowed: true }));
  await send("POST", ...configuration("validating", hook("looks")));
  const made = await send("POST", MAPS, { metadata: { generateName: "a-" } });
  expect(made.code).toBe(201);
  expect(asked).toHaveLength(1);
  expect(asked[0]?.object).toMatchObject({ metadata: { name: made.body.metadata.name, uid: made.body.metadata.uid } });
});

test("conditions leave writes out before anybody is asked", async () => {
  const { send, asked } = await cluster(() => ({ allowed: true }));
  const matchConditions = [{ name: "named", expression: "object.metadata.name == 'a'" }];
  await send("POST", ...configuration("validating", hook("some", { matchConditions })));
  await send("POST", MAPS, { metadata: { name: "b" } });
  expect(asked).toEqual([]);
  await send("POST", MAPS, { metadata: { name: "a" } });
  expect(asked).toHaveLength(1);
});
