/** What is measured at each size: single requests one after another, each from its sending to its whole answer. */
import { effects } from "../../../agent/effects.ts";
import { openWatch } from "../cost/clients.ts";
import { namespaceName, namespaceOf, nodeName, podName } from "./fill.ts";
import { NAMESPACE, podStatus } from "./models.ts";
import type { CurvePlane } from "./plane.ts";

export type Size = { pods: number; nodes: number };
/** Medians and 99th percentiles in ms. */
export type Times = { p50: number; p99: number; count: number };

const MERGE = "application/merge-patch+json";
const CONFIG_MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const WAIT_MS = 120_000;

export function timesOf(values: readonly number[]): Times {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), count: sorted.length };
}

async function timed(count: number, run: (i: number) => Promise<unknown>): Promise<Times> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await run(i);
    values.push(performance.now() - start);
  }
  return timesOf(values);
}

/** Spread over all pods, the same ones every time. */
const someone = (i: number, { pods }: Size) => (i * 7919 + 13) % pods;
const podPath = (i: number) => `/api/v1/namespaces/${namespaceOf(i)}/pods/${podName(i)}`;
/** What one size leaves behind is not in the next one's way. */
const nameOf = (what: string, { pods }: Size, i: number) => `${what}-${pods}-${i}`;
const bare = (name: string, more: object = {}) => ({
  metadata: { name, labels: { curve: "yes" } },
  spec: { containers: [{ name: "web", image: "web:1", resources: { requests: { cpu: "100m" } } }], ...more },
});

/** In ms, by what is done. */
export async function measureAll(plane: CurvePlane, size: Size, count: number): Promise<Record<string, Times>> {
  const lists = Math.max(3, Math.round(count / 20));
  const configName = (i: number) => nameOf("config", size, i);
  const config = (i: number, value: string) => ({ metadata: { name: configName(i) }, data: { value } });
  const get = (i: number) => plane.must("GET", podPath(someone(i, size)));
  await timed(count / 4, get); // warmed up
  const times: Record<string, Times> = { get: await timed(count, get) };
  times.create = await timed(count, (i) => plane.must("POST", CONFIG_MAPS, config(i, "x".repeat(1000))));
  times.update = await timed(count, (i) =>
    plane.must("PUT", `${CONFIG_MAPS}/${configName(i)}`, config(i, "y".repeat(1000))),
  );
  times["watch delivery"] = await watchTimes(plane, configName(0), count);
  times["pod status write"] = await timed(count, (i) => {
    const status = { ...podStatus, message: String(i) };
    return plane.must("PATCH", `${podPath(someone(i, size))}/status`, { status }, MERGE);
  });
  times["node status write"] = await timed(count, (i) => {
    const path = `/api/v1/nodes/${nodeName(someone(i, { ...size, pods: size.nodes }))}/status`;
    return plane.must("PATCH", path, { status: { images: [{ names: [`web:${i}`], sizeBytes: i }] } }, MERGE);
  });
  times.bind = await bindTimes(plane, size, count);
  times["pod created until bound"] = await scheduleTimes(plane, size, count);
  times.eviction = await timed(Math.min(count, 100), (i) => {
    const pod = size.pods - 1 - i;
    const body = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: podName(pod), namespace: namespaceOf(pod) },
    };
    return plane.must("POST", `${podPath(pod)}/eviction`, body);
  });
  const last = namespaceName(Math.floor((size.pods - 1) / 500));
  times["list of a namespace"] = await timed(lists, () => plane.must("GET", `/api/v1/namespaces/${last}/pods`));
  times["list of a namespace by label"] = await timed(lists, () =>
    plane.must("GET", `/api/v1/namespaces/${last}/pods?labelSelector=app%3Dweb-1`),
  );
  times["list of a node's pods"] = await timed(lists, (i) =>
    plane.must("GET", `/api/v1/pods?fieldSelector=spec.nodeName%3D${nodeName((i * 37) % size.nodes)}`),
  );
  times["page of 500 of all pods"] = await timed(lists, () => plane.must("GET", "/api/v1/pods?limit=500"));
  times["list of 1 % of all pods by label"] = await timed(3, (i) =>
    plane.must("GET", `/api/v1/pods?labelSelector=shard%3D${i + 1}`),
  );
  return times;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await effects.sleep(1);
  }
}

/** From the sending of a write to the watcher's having its event. */
async function watchTimes(plane: CurvePlane, name: string, count: number): Promise<Times> {
  const watch = await openWatch(plane.server, CONFIG_MAPS);
  try {
    await effects.sleep(200); // what there is already
    return await timed(count, async (i) => {
      const before = watch.lines.length;
      const body = { data: { value: `watched ${i}` } };
      await plane.must("PATCH", `${CONFIG_MAPS}/${name}`, body, MERGE);
      await until("an event", () => watch.lines.length > before);
    });
  } finally {
    watch.close();
  }
}

async function bindTimes(plane: CurvePlane, size: Size, count: number): Promise<Times> {
  const name = (i: number) => nameOf("bind", size, i);
  for (let i = 0; i < count; i++) await plane.must("POST", PODS, bare(name(i), { schedulerName: "nobody" }));
  return timed(count, (i) => {
    const target = { apiVersion: "v1", kind: "Node", name: nodeName((i * 37) % size.nodes) };
    const body = { apiVersion: "v1", kind: "Binding", metadata: { name: name(i) }, target };
    return plane.must("POST", `${PODS}/${name(i)}/binding`, body);
  });
}

/** One pod after another, each from its creation to a watcher's seeing it with a node. */
async function scheduleTimes(plane: CurvePlane, size: Size, count: number): Promise<Times> {
  const watch = await openWatch(plane.server, `${PODS}?labelSelector=curve%3Dyes`);
  try {
    await effects.sleep(200);
    return await timed(count, async (i) => {
      const name = nameOf("placed", size, i);
      await plane.must("POST", PODS, bare(name));
      const isPlaced = (line: string) => line.includes(`"name":"${name}"`) && line.includes('"nodeName":"');
      let seen = 0;
      await until(name, () => {
        const found = watch.lines.slice(seen).some(isPlaced);
        seen = watch.lines.length;
        return found;
      });
    });
  } finally {
    watch.close();
  }
}
