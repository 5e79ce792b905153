/** Cost against size: what every operation takes while one cluster grows, in the memory that Cloudflare gives it. */
import { statSync } from "node:fs";
import { nodeSql } from "../../../worker/storage/node-sql.ts";
import { fill } from "../curve/fill.ts";
import { measureAll, type Size, timesOf } from "../curve/measures.ts";
import { makeModels } from "../curve/models.ts";
import { CurvePlane } from "../curve/plane.ts";
import { curveTable, type Point, writeCurve } from "../curve/report.ts";
import { NodeSockets } from "../curve/sockets.ts";
import type { Sizes } from "../measure.ts";
import { progress } from "../progress.ts";
import type { AnyGroup } from "../runner.ts";

/** It has no peer and one round: its result is a table of its own. */
export const curve = ({ pods, nodes, count, isSaved }: Sizes["curve"]): AnyGroup => ({
  name: "curve",
  measures: ["curve"],
  async run({ only, sides, failed }) {
    if (!sides.includes("skerry") || (only && !only.test("curve: cost against size"))) return [];
    const points: Point[] = [];
    const plane = await CurvePlane.create();
    try {
      await plane.start({ controllers: false });
      await makeModels(plane);
      let from: Size = { pods: 1, nodes: 1 };
      for (const size of pods.map((of) => ({ pods: of, nodes }))) {
        await plane.kill();
        fill(plane.database, from, size);
        from = size;
        points.push(await pointOf(plane, size, count));
      }
    } catch (error) {
      failed(`curve: ${error instanceof Error ? error.message : error}`);
    } finally {
      await plane.remove();
    }
    if (points.length > 0) process.stdout.write(`${curveTable(points)}\n`);
    if (isSaved && points.length === pods.length) writeCurve(points);
    return [];
  },
});

async function pointOf(plane: CurvePlane, size: Size, count: number): Promise<Point> {
  progress(`curve: ${size.pods} pods`);
  const firstMs = await plane.start({ controllers: true });
  const sockets = new NodeSockets();
  try {
    progress(`  first answer after ${Math.round(firstMs)} ms`);
    await sockets.connect(plane, size.nodes, await revisionOf(plane));
    progress(`  at rest after ${((await plane.rest()) / 1000).toFixed(0)} s`);
    const times = await measureAll(plane, size, count);
    for (const [name, { p50, p99 }] of Object.entries(times))
      progress(`  ${name}: ${p50.toFixed(1)} / ${p99.toFixed(1)} ms`);
    const rssMb = plane.rssMb();
    sockets.close();
    await plane.kill();
    const rows = rowsOf(plane.database);
    const fileMb = statSync(plane.database).size / 2 ** 20;
    return { ...size, times, ...(await restart(plane, size)), rssMb: Math.max(rssMb, plane.rssMb()), fileMb, rows };
  } finally {
    sockets.close();
  }
}

/** After a crash, with all that is there: the agents come back with what they know. */
async function restart(
  plane: CurvePlane,
  size: Size,
): Promise<Pick<Point, "restartMs" | "reconnectMs" | "firstPlacedMs">> {
  const restartMs = await plane.start({ controllers: true });
  const sockets = new NodeSockets();
  try {
    const start = performance.now();
    await sockets.connect(plane, size.nodes, await revisionOf(plane));
    const reconnectMs = performance.now() - start;
    const { p50: firstPlacedMs } = timesOf([await placedMs(plane)]);
    progress(
      `  restart ${restartMs.toFixed(0)} ms, nodes ${reconnectMs.toFixed(0)} ms, placed ${firstPlacedMs.toFixed(0)} ms`,
    );
    return { restartMs, reconnectMs, firstPlacedMs };
  } finally {
    sockets.close();
  }
}

async function placedMs(plane: CurvePlane): Promise<number> {
  const start = performance.now();
  const path = "/api/v1/namespaces/team-0000/pods";
  const pod = { metadata: { name: `first-${Math.round(start)}` }, spec: { containers: [{ name: "c", image: "i" }] } };
  await plane.must("POST", path, pod);
  for (;;) {
    const { text } = await plane.must("GET", `${path}/${pod.metadata.name}`);
    if (text.includes('"nodeName":"')) return performance.now() - start;
    if (performance.now() - start > 120_000) throw new Error("no pod was placed after a restart");
  }
}

async function revisionOf(plane: CurvePlane): Promise<number> {
  const { text } = await plane.must("GET", "/api/v1/nodes?limit=1");
  return Number((JSON.parse(text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion);
}

function rowsOf(path: string): Record<string, number> {
  const sql = nodeSql(path);
  try {
    const count = (table: string) => sql.all<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.n ?? 0;
    return Object.fromEntries(["objects", "refs", "changes", "work"].map((table) => [table, count(table)]));
  } finally {
    sql.close();
  }
}
