/**
 * Random requests to a real control plane: none ends it, none waits for ever, none is a fault, nothing is left behind.
 * SKERRY_SEED draws others.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KNOWN_FAULTS } from "../../worker/api/testing/known-faults.ts";
import { Client, type Got, type Sent } from "../support/client.ts";
import { TestCluster } from "../support/cluster.ts";
import { corpus } from "./corpus.ts";
import { type Random, seeded } from "./random.ts";
import { draw } from "./requests.ts";

const REQUESTS = 100_000;
const ROUNDS = 5;
const LANES = 16;
const NAMESPACE = "fuzz";
const samples = corpus(NAMESPACE);
let cluster: TestCluster;
let client: Client;
let headers: Record<string, string>;

beforeAll(async () => {
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  const kubeconfig = JSON.parse(await cluster.ok("config view --raw -o json"));
  const [{ cluster: at }] = kubeconfig.clusters;
  const [{ user }] = kubeconfig.users;
  client = new Client(at.server, Buffer.from(at["certificate-authority-data"], "base64").toString());
  headers = { authorization: `Bearer ${user.token}` };
});
afterAll(async () => {
  client?.close();
  await cluster?.stop();
});

const ask = (method: string, path: string, body?: object) =>
  client.send({
    method,
    path,
    headers: { ...headers, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });

/** Why an answer is none that a client should get. */
function fault({ status, type, text }: Got, { method, path }: Sent): string | undefined {
  const nothingThere = status === 503 && path.includes("/proxy");
  if (status >= 500) return nothingThere || KNOWN_FAULTS.test(text) ? undefined : "a fault of the server";
  if (!type.startsWith("application/json") || method === "HEAD") return undefined;
  try {
    const isWatch = status === 200 && path.includes("watch");
    for (const document of isWatch ? text.split("\n").filter((line) => line !== "") : [text]) JSON.parse(document);
  } catch {
    return "no JSON, though it says so";
  }
  return status >= 400 && JSON.parse(text).code !== status ? "no Status of its code" : undefined;
}

async function round(random: Random, requests: number): Promise<{ codes: Record<number, number>; faults: string[] }> {
  const codes: Record<number, number> = {};
  const faults: string[] = [];
  let left = requests;
  const lane = async () => {
    while (left-- > 0 && faults.length < 10) {
      const sent = draw(random, samples, headers);
      const said = `${sent.method} ${sent.path} ${sent.headers?.["content-type"]} ${sent.headers?.accept} ${
        Buffer.isBuffer(sent.body) ? sent.body.toString("base64") : sent.body
      }`;
      try {
        const got = await client.send(sent);
        codes[got.status] = (codes[got.status] ?? 0) + 1;
        const why = fault(got, sent);
        if (why) faults.push(`${why}: ${said}\n→ ${got.status} ${got.text.slice(0, 500)}`);
      } catch (error) {
        faults.push(`${error}: ${said}`);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { codes, faults };
}

/** Deletes whatever requests may have made: finalizers first, since some of them invent such. */
async function clean(): Promise<void> {
  for (const { collection } of samples) {
    const { items = [] } = JSON.parse((await ask("GET", collection)).text) as {
      items?: { metadata: { name: string; finalizers?: string[] } }[];
    };
    const own = samples.filter((sample) => sample.collection === collection).map(({ object }) => object.metadata?.name);
    for (const { metadata } of items) {
      if (!own.some((name) => name && metadata.name.startsWith(name))) continue;
      // Names of roles are any segment of a path: spaces and letters beyond ASCII too.
      const one = `${collection}/${encodeURIComponent(metadata.name)}`;
      if (metadata.finalizers?.length && !/namespaces$/.test(collection))
        await client.send({
          method: "PATCH",
          path: one,
          headers: { ...headers, "content-type": "application/merge-patch+json" },
          body: '{"metadata":{"finalizers":null}}',
        });
      await ask("DELETE", `${one}?gracePeriodSeconds=0&propagationPolicy=Background`);
    }
  }
}

const bytes = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).reduce((sum, name) => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return sum + (stat?.isFile() ? stat.size : 0);
  }, 0);
const residentKb = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN);

test(`${REQUESTS} random requests`, async () => {
  const seed = Number(process.env.SKERRY_SEED ?? 1);
  const random = seeded(seed);
  const workerd = cluster.pid("workerd");
  const sizes: { memory: number; disk: number }[] = [];
  for (let done = 0; done < ROUNDS; done++) {
    await ask("POST", "/api/v1/namespaces", { metadata: { name: NAMESPACE } });
    const { codes, faults } = await round(random, REQUESTS / ROUNDS);
    expect(faults, `seed ${seed}`).toEqual([]);
    expect(cluster.pid("workerd")).toBe(workerd);
    expect((codes[201] ?? 0) / REQUESTS, JSON.stringify(codes)).toBeGreaterThan(0.005);
    await clean();
    sizes.push({ memory: residentKb(workerd), disk: bytes(join(cluster.home, "storage")) });
    console.log(`seed ${seed}: ${JSON.stringify(codes)}, ${JSON.stringify(sizes.at(-1))}`);
  }
  // The first rounds fill what has a bound: the log of changes, caches.
  const [, , filled, , last] = sizes;
  expect(last?.memory, JSON.stringify(sizes)).toBeLessThan((filled?.memory ?? 0) * 1.5);
  expect(last?.disk, JSON.stringify(sizes)).toBeLessThan((filled?.disk ?? 0) * 1.5);
});
