/** What becomes of volumes on a file system with project quotas; printed as JSON. `project-quota.integration.test.ts` runs it. */
import { mkdirSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import { effects } from "../../effects.ts";
import { run } from "../../process.ts";
import { packed } from "./data.ts";
import { sizesIn } from "./project-quota.ts";
import { machineFolders, ProvisionedVolumes } from "./provisioned.ts";

const IMAGE_BYTES = 400 * 2 ** 20;
const [type = "", folder = ""] = process.argv.slice(2);
const [image, home] = [join(folder, `${type}.img`), join(folder, type)];
const volumesPath = join(home, "volumes");

async function ok(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
}

function volume(name: string, storage: string, phase = "Bound") {
  const annotations = { "pv.kubernetes.io/provisioned-by": "skerry.dev/local", "skerry.dev/node": "node-a" };
  const path = join(volumesPath, `${name}_default_data`);
  const spec = { capacity: { storage }, local: { path }, persistentVolumeReclaimPolicy: "Delete" };
  return { metadata: { name, annotations }, spec, status: { phase } } as CoreV1PersistentVolume;
}

const failures: string[] = [];
function agent(): ProvisionedVolumes {
  const sizes = sizesIn(volumesPath);
  if (typeof sizes === "string") throw new Error(sizes);
  const api = async () => ({ code: 200, body: {} });
  const folders = machineFolders(home, sizes);
  const made = new ProvisionedVolumes({ home, node: "node-a", api, timers: effects, folders });
  made.onFailure = (_, reason, message) => failures.push(`${reason}: ${message}`);
  return made;
}

/** As a container without CAP_SYS_RESOURCE writes: how many MiB there are in the file then. */
async function fill({ spec }: CoreV1PersistentVolume, name = "file"): Promise<number> {
  const file = join(spec?.local?.path ?? "", name);
  const writing = ["dd", "if=/dev/zero", `of=${file}`, "bs=256K", "count=100"];
  await run("setpriv", ["--reuid=1234", "--regid=1234", "--clear-groups", ...writing]);
  return Math.round(statSync(file).size / 2 ** 20);
}

/** What programs in it are told of the file system's size, in KiB. */
async function sizeOf({ spec }: CoreV1PersistentVolume): Promise<number> {
  return Number((await ok("df", "--output=size", "-k", spec?.local?.path ?? "")).split("\n")[1]);
}

const projects = async () => (await ok("repquota", "-P", "-n", home)).match(/^#\d+/gm)?.filter((id) => id !== "#0");
const until = async (check: () => boolean | Promise<boolean>) => {
  while (!(await check())) await effects.sleep(20);
};

await ok("truncate", "-s", `${IMAGE_BYTES}`, image);
await (type === "xfs"
  ? ok("mkfs.xfs", "-q", image)
  : ok("mkfs.ext4", "-q", "-O", "quota,project", "-E", "quotatype=prjquota", image));
const device = (await ok("losetup", "--find", "--show", image)).trim();
mkdirSync(home);
await ok("mount", device, home);
const without = sizesIn(volumesPath);
await ok("umount", home);
await ok("mount", "-o", "prjquota", device, home);

let volumes = agent();
const first = volume("first", "10Mi");
await volumes.make(first);
await volumes.make(volume("second", "20Mi"));
const seen: Record<string, unknown> = {
  without,
  filled: await fill(first),
  second: await fill(volume("second", "20Mi")),
};
seen.shown = await sizeOf(first);

volumes.sync([volume("first", "15Mi")]);
await until(async () => (await sizeOf(first)) === 15 * 1024);
seen.grown = await fill(first);

// The machine is off and on again, and so is its agent.
await ok("umount", home);
await ok("mount", "-o", "prjquota", device, home);
seen.afterRestart = await fill(first);
volumes = agent();
await volumes.make(volume("first", "15Mi"));
seen.byNextAgent = await fill(first);
seen.projects = (await projects())?.length;

// What was there before sizes were held to counts, too.
const older = volume("older", "10Mi");
mkdirSync(join(older.spec?.local?.path ?? "", "in/it"), { recursive: true });
await ok("dd", "if=/dev/zero", `of=${join(older.spec?.local?.path ?? "", "in/it/before")}`, "bs=1M", "count=4");
await ok("chmod", "-R", "777", older.spec?.local?.path ?? "");
await volumes.make(older);
seen.older = await fill(older, "in/it/after");

// So does what is restored.
const restored = volume("restored", "10Mi");
const archive = Readable.from(packed(older.spec?.local?.path ?? "", true));
await volumes.write({ name: "restored", path: restored.spec?.local?.path ?? "" }, archive, false);
await volumes.make(restored);
truncateSync(join(restored.spec?.local?.path ?? "", "in/it/after"), 0);
seen.restored = await fill(restored, "in/it/after");

const before = (await projects())?.length ?? 0;
volumes.sync([volume("first", "15Mi", "Released"), volume("second", "20Mi", "Released")]);
await until(() => readdirSync(volumesPath).filter((name) => /^(first|second)_/.test(name)).length === 0);
await ok("sync", "-f", home);
seen.freed = before - ((await projects())?.length ?? 0);
await ok("umount", home);
await ok("losetup", "--detach", device);
process.stdout.write(JSON.stringify({ ...seen, failures }));
