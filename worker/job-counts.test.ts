/** A Job's count and the finalizers of the pods that are counted, over the real API and database. */
import { expect, test } from "vitest";
import {
  type Attempt,
  type Callout,
  type CalloutAnswer,
  CalloutsNeeded,
  withCallouts,
} from "./api/callouts/callouts.ts";
import { changesOf, testCluster } from "./api/testing/cluster.ts";
import { Driver } from "./controllers/driver.ts";
import { jobController } from "./controllers/job/job.ts";
import { nodeSql } from "./storage/node-sql.ts";

const PODS = "/api/v1/namespaces/default/pods";
const JOBS = "/apis/batch/v1/namespaces/default/jobs";

async function cluster(ask?: (callout: Callout) => Promise<CalloutAnswer>) {
  const real = nodeSql(":memory:");
  const storage = { failsAt: Number.POSITIVE_INFINITY };
  const run: typeof real.run = (...parameters) => {
    if (--storage.failsAt === 0) throw new Error("Exceeded allowed rows");
    real.run(...parameters);
  };
  const parts = await testCluster({ sql: { ...real, run }, ...(ask && { ask }) });
  const { store, kinds, engine, clock } = parts;
  await parts.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const effects = { now: () => clock.now, random, uid: () => String(random()) };
  const held: Promise<unknown>[] = [];
  const driver = new Driver({
    controllers: [jobController],
    view: engine.view,
    apply(intent, controller) {
      const body = (attempt?: Attempt) => engine.applyIntent(intent, controller, attempt);
      try {
        return body();
      } catch (error) {
        if (!ask || !(error instanceof CalloutsNeeded)) throw error;
        const carriedOut = withCallouts(async (attempt) => body(attempt), ask, effects);
        held.push(carriedOut);
        return carriedOut;
      }
    },
    work: store.work,
    effects,
    pull: changesOf(store, kinds),
  });
  /** What fails is tried again when its time has come. */
  async function rest() {
    for (let round = 0; round < 20; round++) {
      driver.drain({ reconciles: 1000 });
      await Promise.all(held.splice(0));
      driver.persist();
      clock.now += 1000;
      driver.due(clock.now);
    }
  }
  async function finish() {
    for (const pod of (await parts.ask("GET", PODS)).body.items) {
      const status = { ...pod.status, phase: "Succeeded" };
      await parts.ask("PUT", `${PODS}/${pod.metadata.name}/status`, { ...pod, status });
    }
  }
  async function makeJob(completions: number) {
    const spec = { restartPolicy: "Never", containers: [{ name: "c", image: "work" }] };
    const job = { metadata: { name: "work" }, spec: { completions, parallelism: completions, template: { spec } } };
    expect((await parts.ask("POST", JOBS, job)).code).toBe(201);
    await rest();
    expect((await parts.ask("GET", PODS)).body.items).toHaveLength(completions);
  }
  const status = async () => (await parts.ask("GET", `${JOBS}/work`)).body.status;
  const finalizers = async () =>
    (await parts.ask("GET", PODS)).body.items.flatMap(
      (pod: { metadata: { finalizers?: string[] } }) => pod.metadata.finalizers ?? [],
    );
  return { ...parts, storage, rest, finish, makeJob, status, finalizers };
}

test("wherever storage fails, each pod is counted once", async () => {
  let statement = 1;
  for (let fails = true; fails; statement++) {
    const { storage, finish, rest, makeJob, status, finalizers } = await cluster();
    await makeJob(2);
    await finish();
    storage.failsAt = statement;
    await rest();
    fails = storage.failsAt <= 0;
    expect(await status(), `statement ${statement} fails`).toMatchObject({ succeeded: 2 });
    expect(await finalizers()).toEqual([]);
  }
  expect(statement).toBeGreaterThan(6);
});

test("pods whose changes a webhook is asked about are counted, however many there are", async () => {
  let asked = 0;
  const ask = async ({ body }: Callout): Promise<CalloutAnswer> => {
    const { apiVersion, request } = JSON.parse(body);
    asked++;
    const response = { uid: request.uid, allowed: true };
    return { status: 200, body: JSON.stringify({ kind: "AdmissionReview", apiVersion, response }) };
  };
  const { ask: send, finish, rest, makeJob, status, finalizers } = await cluster(ask);
  await makeJob(60);
  await finish();
  const rules = [
    { operations: ["UPDATE"], apiGroups: ["", "batch"], apiVersions: ["v1"], resources: ["pods", "jobs/status"] },
  ];
  const webhook = {
    name: "all.example.com",
    clientConfig: { service: { name: "hook", namespace: "default" } },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    rules,
  };
  const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
  expect((await send("POST", path, { metadata: { name: "hooks" }, webhooks: [webhook] })).code).toBe(201);
  await rest();
  expect(asked).toBeGreaterThan(60);
  expect(await status()).toMatchObject({ succeeded: 60 });
  expect(await finalizers()).toEqual([]);
});
