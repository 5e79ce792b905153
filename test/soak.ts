/**
 * `npm run soak -- [--minutes 60] [--pods 60] [--every 2]`: so many pods, of which one is replaced every so many seconds.
 * The memory of each program and the disk of the cluster must stay flat: the last quarter of the time is compared with
 * the second one, as the first is for warming up.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { effects } from "../agent/effects.ts";
import { administrator } from "../agent/local/credentials.ts";
import { sendChecked } from "../agent/local/http.ts";
import { run } from "../agent/process.ts";
import { ownMemoryOf } from "./bench/processes.ts";
import { median } from "./bench/runner.ts";
import { build } from "./bench/sides/skerry.ts";
import { eventually, TestCluster } from "./support/cluster.ts";
import { BUSYBOX_IMAGE } from "./support/image.ts";
import { taken } from "./support/taken.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    pods: { type: "string", default: "60" },
    every: { type: "string", default: "2" },
  },
});
const [minutes, pods, every] = [Number(values.minutes), Number(values.pods), Number(values.every)];

const PODS = "/api/v1/namespaces/default/pods";
const SAMPLES = 60;
/** What the kernel, the collectors of garbage and SQLite's pages move by themselves. */
const FLAT = 1.15;
const PROGRAMS = ["workerd", "supervisor", "agent", "containerd"] as const;

const log = (message: string) => process.stdout.write(`soak: ${message}\n`);

/** Each prints, is probed, reads a ConfigMap, and writes to its disk. */
const pod = (name: string) => ({
  metadata: { name, labels: { app: "soak" } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "main",
        image: BUSYBOX_IMAGE,
        command: ["sh", "-c", "while :; do date; date > /data/now; sleep 1; done"],
        readinessProbe: { exec: { command: ["test", "-e", "/data/now"] }, periodSeconds: 30 },
        volumeMounts: [
          { name: "settings", mountPath: "/settings" },
          { name: "data", mountPath: "/data" },
        ],
      },
    ],
    volumes: [
      { name: "settings", configMap: { name: "soak" } },
      { name: "data", emptyDir: {} },
    ],
  },
});

/** In MB, by name. */
type Sample = Record<string, number>;

async function sample(cluster: TestCluster): Promise<Sample> {
  const memory = PROGRAMS.map((name) => [`${name} memory`, ownMemoryOf(cluster.pid(name))]);
  const state = await megabytes(join(cluster.home, "storage"));
  const all = await megabytes(cluster.home);
  return Object.fromEntries([...memory, ["control plane's disk", state], ["node's disk", all - state]]);
}

/** What lies in a folder, without what is mounted there. */
async function megabytes(folder: string): Promise<number> {
  const { stdout } = await run("du", ["-skx", folder]); // it complains of files that go meanwhile
  return Number(stdout.split("\t")[0]) / 1024;
}

/** Replaces the oldest pod by another, until the time is over. */
async function churn(cluster: TestCluster, end: number): Promise<{ samples: Sample[]; made: number }> {
  const server = await administrator({ path: cluster.home, port: cluster.port });
  const samples: Sample[] = [];
  const gap = (minutes * 60_000) / SAMPLES;
  let made = 0;
  let next = effects.now() + gap;
  const names: string[] = [];
  while (effects.now() < end) {
    if (names.length >= pods) await sendChecked(server, "DELETE", `${PODS}/${names.shift()}`);
    names.push(`soak-${made++}`);
    await sendChecked(server, "POST", PODS, pod(names.at(-1) ?? ""));
    if (names.length < pods) continue;
    await effects.sleep(every * 1000);
    if (effects.now() < next) continue;
    next += gap;
    samples.push(await sample(cluster));
    log(`${made} pods: ${text(samples.at(-1) ?? {})}`);
  }
  return { samples, made };
}

const text = (values: Sample) =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value.toFixed(1)} MB`)
    .join(", ");

/** The last quarter divided by the second one. */
function growth(samples: readonly Sample[], name: string): number {
  const quarter = (n: number) => samples.slice((samples.length * n) / 4, (samples.length * (n + 1)) / 4);
  const middle = (part: readonly Sample[]) => median(part.map((one) => one[name] ?? 0)) ?? Number.NaN;
  return middle(quarter(3)) / middle(quarter(1));
}

/** The control plane keeps so many revisions, and events so long: what has a bound is there before the time begins, or early. */
const KEPT_REVISIONS = 10_000;
const EVENT_TTL = "10m";
/** As long as a pod's: what the log's bound comes to on disk depends on it. */
const FILLING = "x".repeat(6000);
const LANES = 16;

async function fillChangeLog(cluster: TestCluster): Promise<void> {
  const server = await administrator({ path: cluster.home, port: cluster.port });
  let left = KEPT_REVISIONS;
  const lane = async (_: unknown, name: number) => {
    const metadata = { name: `filling-${name}` };
    const path = `/api/v1/namespaces/default/configmaps/${metadata.name}`;
    await sendChecked(server, "POST", path.slice(0, path.lastIndexOf("/")), { metadata });
    while (left-- > 0)
      await sendChecked(server, "PUT", path, { metadata, data: { left: `${left}`, filling: FILLING } });
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

const cluster = await TestCluster.start({
  program: await build(),
  flags: ["--node-name", "node-a", "--event-ttl", EVENT_TTL],
});
let isFlat = false;
try {
  await cluster.ok("create configmap soak --from-literal=a=b");
  await fillChangeLog(cluster);
  const before = await taken(cluster);
  const { samples, made } = await churn(cluster, effects.now() + minutes * 60_000);
  const grown = Object.keys(samples[0] ?? {}).map((name) => [name, growth(samples, name)] as const);
  isFlat = samples.length > 0 && grown.every(([, factor]) => factor <= FLAT);
  log(`${made} pods in ${minutes} minutes, ${pods} at once; the last quarter to the second:`);
  for (const [name, factor] of grown) log(`  ${name}: ${factor.toFixed(2)}×`);
  await cluster.ok("delete pods --all --timeout=300s", { timeoutMs: 310_000 });
  const given = async () => JSON.stringify(await taken(cluster)) === JSON.stringify(before);
  await eventually("all is given back", given, 120_000).catch((error: Error) => {
    isFlat = false;
    log(error.message);
  });
  log(`before: ${JSON.stringify(before)}`);
  log(`after:  ${JSON.stringify(await taken(cluster))}`);
  log(readFileSync("/proc/loadavg", "utf8").trim());
} finally {
  await cluster.stop();
}
log(isFlat ? "flat" : "not flat");
process.exit(isFlat ? 0 : 1);
