/** `skerry volume backup` and `restore`: the data of volumes on nodes' own disks, to a file and back. */
import { closeSync, createReadStream, createWriteStream, openSync, readSync, renameSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { CoreV1NodeList, CoreV1PersistentVolumeClaim } from "../../worker/kinds/generated/types.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { VOLUMES_PATH } from "../../worker/lib/local-volumes.ts";
import type { BackupContext } from "./backup.ts";
import { type Claim, claimPath, get, inWords, nameOf, patch, target, usersOf } from "./claim.ts";
import type { Printed } from "./command-options.ts";
import { type Answer, checked, open, openChecked, read, type Server, send, sendChecked, upload } from "./http.ts";
import type { Reach } from "./reach.ts";
import { printJson } from "./terminal.ts";
import {
  backupOf,
  backupStream,
  deleteBackup,
  findBackup,
  isBucket,
  isPassing,
  keepNewest,
  listBackups,
  SourceError,
  sendBackup,
  unzipped,
  zipped,
} from "./volume-bucket.ts";

/** Everything a node does may take that long between two bytes: it writes to its disk before it answers. */
const SILENT_MS = 600_000;
const LOOK_MS = 500;
const BOUND_MS = 60_000;
const GZIP = Buffer.from([0x1f, 0x8b]);
const SELECTED_NODE = "volume.kubernetes.io/selected-node";

const dataPath = ({ namespace, name }: Claim) =>
  `/skerry/volumes/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
export type BackupVolume = Reach & { to?: string; keep?: number };

export async function backupVolume(context: BackupContext, text: string, options: BackupVolume): Promise<void> {
  const { server, claim } = await target(context, text, options);
  const file = options.to ?? `${claim.name}.tar.gz`;
  const users = await usersOf(server, claim);
  if (users.length > 0)
    context.progress(`pods use the volume meanwhile, and may change it: ${users.map(nameOf).join(", ")}`);
  if (isBucket(file)) return await toBucket(context, server, claim, options);
  const response = await openChecked(server, "GET", dataPath(claim), { timeoutMs: SILENT_MS });
  const bytes = await save(response, file);
  context.progress(`${file === "-" ? "written" : file}: ${bytes} bytes of ${inWords(claim)}`);
}

async function toBucket(context: BackupContext, server: Server, claim: Claim, options: BackupVolume): Promise<void> {
  // One that was broken off goes on; one that cannot be read may be whole to who has its secret.
  const begun = (await listBackups(server, claim)).find(({ complete, unreadable }) => !complete && !unreadable)?.name;
  const name = begun ?? new Date(context.effects.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const source = async () => {
    const data = await open(server, "GET", dataPath(claim), { timeoutMs: SILENT_MS }).catch((error: unknown) => {
      throw new SourceError(errorText(error));
    });
    if (data.statusCode !== 200) {
      const answer = await read(data);
      if (isPassing(answer)) throw new SourceError(`${answer.body.message ?? answer.text}`); // a node that comes back
      checked("GET", dataPath(claim), answer);
    }
    return zipped(data);
  };
  const index = await sendBackup(context, server, { ...backupOf(claim, name), isResumed: begun !== undefined }, source);
  context.progress(`bucket:${inWords(claim)}/${name}: ${index.bytes} bytes`);
  if (options.keep === undefined) return;
  for (const old of await keepNewest(server, claim, options.keep)) context.progress(`removed ${old}`);
}

export type VolumeBackups = Reach & Printed & { delete?: string };

export async function volumeBackups(context: BackupContext, text: string, options: VolumeBackups): Promise<void> {
  const { server, claim } = await target(context, text, options);
  if (options.delete !== undefined) {
    await deleteBackup(server, claim, options.delete);
    return context.progress(`removed ${options.delete}`);
  }
  const backups = await listBackups(server, claim);
  if (options.json) return printJson(backups);
  for (const { name, complete, unreadable, time = "", bytes = 0 } of backups) {
    const state = complete ? `${time}\t${bytes}` : unreadable ? "unreadable" : "incomplete";
    process.stdout.write(`${name}\t${state}\n`);
  }
}

/** Whole or not at all. */
async function save(response: IncomingMessage, file: string): Promise<number> {
  let bytes = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  if (file === "-") {
    await pipeline(response, counted, process.stdout, { end: false });
    return bytes;
  }
  const temporary = `${file}.new`;
  try {
    const out = createWriteStream(temporary, { mode: 0o600, flush: true });
    if (/\.t?gz$/.test(file)) await pipeline(response, counted, createGzip(), out);
    else await pipeline(response, counted, out);
    renameSync(temporary, file);
    return bytes;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

export type RestoreVolume = Reach & { from: string; replace?: boolean; size?: string; node?: string };

export async function restoreVolume(context: BackupContext, text: string, options: RestoreVolume): Promise<void> {
  const { server, claim } = await target(context, text, options);
  const kept = isBucket(options.from) ? await findBackup(server, options.from, claim) : undefined;
  const archive = kept
    ? unzipped(backupStream(context, server, backupOf(kept.claim, kept.name)))
    : sourceOf(options.from);
  archive.on("error", () => {}); // one that comes before anything is sent is thrown by `upload`
  await ensureClaim(server, claim, options.size);
  await ensureVolume(context, server, claim, options.node);
  const users = await usersOf(server, claim);
  if (users.length > 0) throw new Error(`pods use the volume: ${users.map(nameOf).join(", ")}`);
  const path = `${dataPath(claim)}?replace=${options.replace === true}`;
  // Asked first without a body, so that nothing is sent in vain.
  settled("PUT", path, await send(server, "PUT", path));
  const sending = { type: "application/x-tar", timeoutMs: SILENT_MS };
  const { body } = settled("PUT", path, await upload(server, "PUT", path, archive, sending));
  context.progress(`restored ${body.bytes} bytes into ${inWords(claim)}`);
}

function settled(method: string, path: string, answer: Answer): Answer {
  if (answer.code !== 409 && answer.code !== 400) return checked(method, path, answer);
  throw new Error(`nothing was changed: ${answer.body.message}${hintFor(answer.text)}`);
}

const hintFor = (text: string) => (/must be told to replace/.test(text) ? ": --replace does" : "");

/** A tar file, compressed or not. */
function sourceOf(file: string): Readable {
  if (file === "-") return process.stdin;
  const start = Buffer.alloc(GZIP.length);
  const handle = openSync(file, "r");
  readSync(handle, start, 0, start.length, 0);
  closeSync(handle);
  const stream = createReadStream(file);
  return start.equals(GZIP) ? unzipped(stream) : stream;
}

async function ensureClaim(server: Server, claim: Claim, size: string | undefined): Promise<void> {
  const { code } = await send(server, "GET", claimPath(claim));
  if (code !== 404) return;
  if (size === undefined) throw new Error(`there is no claim ${inWords(claim)}: with --size one is made`);
  const { namespace, name } = claim;
  await sendChecked(server, "POST", `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims`, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { namespace, name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: size } } },
  });
}

/** A claim has a volume when a pod that uses it has a node; here a node is chosen without one. */
async function ensureVolume(
  { effects }: BackupContext,
  server: Server,
  claim: Claim,
  wanted: string | undefined,
): Promise<void> {
  const now = () => get<CoreV1PersistentVolumeClaim>(server, claimPath(claim));
  const found = await now();
  if (found.spec?.volumeName) return;
  const chosen = found.metadata?.annotations?.[SELECTED_NODE];
  if (!chosen) {
    const node = wanted ?? (await onlyNode(server));
    await patch(server, claimPath(claim), { metadata: { annotations: { [SELECTED_NODE]: node } } });
  }
  const end = effects.now() + BOUND_MS;
  while ((await now()).status?.phase !== "Bound") {
    if (effects.now() > end) throw new Error(`${inWords(claim)} gets no volume: \`kubectl describe pvc\` tells why`);
    await effects.sleep(LOOK_MS);
  }
}

async function onlyNode(server: Server): Promise<string> {
  const { items = [] } = await get<CoreV1NodeList>(server, "/api/v1/nodes");
  const able = items.filter(
    ({ metadata, spec, status }) =>
      metadata?.annotations?.[VOLUMES_PATH] &&
      !spec?.unschedulable &&
      status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
  const [first, ...others] = able.map(({ metadata }) => metadata?.name ?? "");
  if (first && others.length === 0) return first;
  const choice = first ? `: ${[first, ...others].join(", ")}` : "";
  throw new Error(`name with --node where the volume is to lie${choice}`);
}
