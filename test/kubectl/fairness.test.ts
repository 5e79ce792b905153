/** API Priority and Fairness: one client that never stops asking, and what the others notice of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { Client, type Got } from "../support/client.ts";
import { eventually, TestCluster } from "../support/cluster.ts";

const CONNECTIONS = 40;
const PATIENCE_MS = 300_000;
const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

/** A level whose few seats are soon taken, for one account alone. */
const NARROW = `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: { name: narrow }
spec:
  type: Limited
  limited:
    nominalConcurrencyShares: 1
    limitResponse: { type: Queue, queuing: { queues: 1, handSize: 1, queueLengthLimit: 4 } }
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: { name: narrow }
spec:
  matchingPrecedence: 600
  priorityLevelConfiguration: { name: narrow }
  distinguisherMethod: { type: ByUser }
  rules:
    - subjects: [{ kind: ServiceAccount, serviceAccount: { namespace: default, name: greedy } }]
      resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true }]
`;
const ACCOUNTS = ["greedy", "modest"];

let cluster: TestCluster;
let client: Client;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  client = new Client(`https://127.0.0.1:${cluster.port}`, readFileSync(join(cluster.home, "tls/ca.crt"), "utf8"));
  for (const name of ACCOUNTS) {
    await cluster.ok(`create serviceaccount ${name}`);
    await cluster.ok(`create rolebinding ${name} --clusterrole=edit --serviceaccount=default:${name}`);
    tokens[name] = (await cluster.ok(`create token ${name}`)).trim();
    await cluster.ok(`create configmap ${name}`);
  }
});

afterAll(async () => {
  client?.close();
  await cluster?.stop();
});

const patch = (name: string, value: number): Promise<Got> =>
  client.send({
    method: "PATCH",
    path: `${CONFIG_MAPS}/${name}`,
    headers: { authorization: `Bearer ${tokens[name]}`, "content-type": "application/merge-patch+json" },
    body: JSON.stringify({ data: { value: String(value) } }),
  });
const list = (name: string): Promise<Got> =>
  client.send({ method: "GET", path: CONFIG_MAPS, headers: { authorization: `Bearer ${tokens[name]}` } });

/** Asks without a pause on many connections, until told to stop; everything that was answered. */
function loop(ask: (i: number) => Promise<Got>): () => Promise<Got[]> {
  let goesOn = true;
  const answers: Got[] = [];
  const workers = Array.from({ length: CONNECTIONS }, async (_, worker) => {
    for (let i = worker; goesOn; i += CONNECTIONS) answers.push(await ask(i));
  });
  return async () => {
    goesOn = false;
    await Promise.all(workers);
    return answers;
  };
}

test("while one client writes in a loop, another is served all that it asks, and none is refused by default", async () => {
  const stop = loop((i) => patch("greedy", i));
  const others: Got[] = [];
  for (let i = 0; i < 10; i++) others.push(await patch("modest", i), await list("modest"));
  const greedy = await stop();
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
  expect(new Set(greedy.map(({ status }) => status))).toEqual(new Set([200]));
});

test("a client whose queue is full is told to come back later, in upstream's words; others are not", async () => {
  await cluster.apply(NARROW);
  const narrow = await cluster.json<{ metadata: { uid: string } }>("get prioritylevelconfiguration narrow");
  type Schema = { metadata: { uid: string }; status?: { conditions?: object[] } };
  const schema = await eventually("the FlowSchema has its level", async () => {
    const found = await cluster.json<Schema>("get flowschema narrow");
    return found.status?.conditions && found;
  });
  expect(schema.status).toMatchObject({ conditions: [{ type: "Dangling", status: "False", reason: "Found" }] });

  let refused: Got | undefined;
  const stop = loop(async (i) => {
    const answer = await patch("greedy", i);
    if (answer.status === 429) refused ??= answer;
    return answer;
  });
  const end = effects.now() + PATIENCE_MS;
  const others: Got[] = [];
  for (let i = 0; !refused && effects.now() < end; i++) others.push(await patch("modest", i));
  others.push(await patch("modest", -1));
  const greedy = await stop();
  expect(refused).toMatchObject({
    text: "Too many requests, please try again later.\n",
    type: expect.stringMatching(/^text\/plain/),
  });
  expect(Number(refused?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  expect(new Set(greedy.map(({ status }) => status))).toEqual(new Set([200, 429]));
  for (const { headers } of greedy)
    expect(headers).toMatchObject({
      "x-kubernetes-pf-prioritylevel-uid": narrow.metadata.uid,
      "x-kubernetes-pf-flowschema-uid": schema.metadata.uid,
    });
  expect(others.map(({ status }) => status)).toEqual(others.map(() => 200));
  expect(others.at(-1)?.headers["x-kubernetes-pf-prioritylevel-uid"]).not.toBe(narrow.metadata.uid);
  const metrics = await cluster.ok("get --raw /metrics");
  expect(Number(/rejected_requests_total\{priority_level="narrow"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(0);
});

test("what is mandatory comes back, and a FlowSchema without its level says so", async () => {
  await cluster.ok("delete flowschema catch-all");
  await eventually("it is back", () => cluster.ok("get flowschema catch-all -o name"));
  await cluster.ok("delete prioritylevelconfiguration narrow");
  await eventually("it lacks its level", async () =>
    /^narrow +narrow +600 +ByUser +\S+ +True/.test(await cluster.ok("get flowschema narrow --no-headers")),
  );
  const answer = await patch("greedy", 0);
  expect(answer.status).toBe(200);
});
