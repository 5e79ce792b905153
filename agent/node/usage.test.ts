import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { machineCgroups } from "../pods/cgroups.ts";
import { someAttempt, someMemory, somePod } from "../pods/testing.ts";
import { run } from "../process.ts";
import { UsageMeter, upperFolders } from "./usage.ts";

const KIB = 1024;
let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "usage-"));
});
afterEach(() => rmSync(home, { recursive: true }));

test("writable layers are found by the containers whose roots they are", () => {
  const id = "a".repeat(64);
  const line = `90 80 0:70 / /h/state/${id}/rootfs rw,relatime shared:9 - overlay overlay rw,lowerdir=/l/1/fs,upperdir=/u/7/fs,workdir=/u/7/work`;
  expect(upperFolders(`${line}\n36 35 98:0 / /h rw - ext4 /dev/vda rw\n`)).toEqual(new Map([[id, "/u/7/fs"]]));
});

test("logs and volumes on disk count, volumes in memory do not", async () => {
  const volumes = [
    { name: "scratch", emptyDir: {} },
    { name: "fast", emptyDir: { medium: "Memory" } },
  ];
  const pod = somePod({ volumes });
  for (const name of ["scratch", "fast"]) {
    const folder = join(home, "pods/u1/volumes/kubernetes.io~empty-dir", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "file"), Buffer.alloc(256 * KIB));
  }
  mkdirSync(join(home, "logs"));
  const logPath = join(home, "logs/c-json.log");
  for (const file of [logPath, `${logPath}.1`]) writeFileSync(file, Buffer.alloc(64 * KIB));
  const memory = someMemory(pod, { app: { current: someAttempt({ logPath }) } });
  const meter = new UsageMeter({ home, cgroups: machineCgroups({ home, root: home }), run });
  const used = (await meter.storage([{ pod, memory }])).get("u1");
  expect(used?.containers.get("app")).toBe(128 * KIB);
  expect([...(used?.volumes.keys() ?? [])]).toEqual(["scratch"]);
  expect(used?.volumes.get("scratch")).toBeGreaterThanOrEqual(256 * KIB);
  expect(used?.total).toBe(128 * KIB + (used?.volumes.get("scratch") ?? 0));
  expect(used?.totalInodes).toBe(2 + 2);
});
