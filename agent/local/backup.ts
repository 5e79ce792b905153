/** `skerry backup`, `skerry restore` and `skerry fork`: a cluster's whole state, to a file and back, or to another name. */
import { readFileSync } from "node:fs";
import { BackupError, type Header, type Part, parseHeader, readParts } from "../../worker/lib/backup-format.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import { readBackup, writeBackup } from "./backup-file.ts";
import type { Home } from "./home.ts";
import { type Answer, checked, open, openChecked, read, type Server, send, sendChecked } from "./http.ts";
import type { Progress } from "./install.ts";
import { type Reach, reach } from "./reach.ts";

export type BackupContext = { home: Home; progress: Progress; effects: Effects & Timers };

const BACKUP = "/skerry/backup";
/** The last part puts everything in place, which takes seconds for a hundred thousand objects. */
const PART_TIMEOUT_MS = 600_000;
/** A control plane that is started again meanwhile goes on where it was. */
const ATTEMPTS = 6;
const RETRY_MS = 500;

export type PassphraseOptions = { passphraseFile?: string };

function passphraseOf({ passphraseFile }: PassphraseOptions): string | undefined {
  if (passphraseFile === undefined) return process.env.SKERRY_BACKUP_PASSPHRASE || undefined;
  const passphrase = readFileSync(passphraseFile, "utf8").replace(/\r?\n$/, "");
  if (passphrase === "") throw new Error(`${passphraseFile} is empty`);
  return passphrase;
}

/** What the cluster sends, checked on its way: a stream that breaks off is an error. */
async function* download(from: Server, heard?: (part: Part) => void): AsyncGenerator<Part> {
  for await (const part of readParts(await openChecked(from, "GET", BACKUP))) {
    heard?.(part);
    yield part;
  }
}

async function* bytesOf(parts: AsyncIterable<Part>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of parts) yield bytes;
}

const headerOf = (part: Part): Header => parseHeader(part.lines[0] ?? "");
const objectsOf = (part: Part): number =>
  (JSON.parse(part.lines.at(-1) ?? "{}") as { end?: { objects: number } }).end?.objects ?? 0;
const inWords = ({ cluster, revision, time }: Header) => `cluster ${cluster.name} as of ${time} (revision ${revision})`;

export async function backup(
  { home, progress, effects }: BackupContext,
  file: string | undefined,
  options: Reach & PassphraseOptions,
): Promise<void> {
  const passphrase = passphraseOf(options);
  const from = await reach(home, options);
  const stamp = new Date(effects.now()).toISOString().slice(0, 19).replaceAll(":", "-");
  const path = file ?? `skerry-${options.cluster}-${stamp}.backup`;
  let header: Header | undefined;
  let objects = 0;
  const parts = download(from, (part) => {
    header ??= headerOf(part);
    objects = objectsOf(part);
  });
  await writeBackup(path, bytesOf(parts), passphrase);
  if (header) progress(`${path === "-" ? "written" : path}: ${inWords(header)}, ${objects} objects`);
  if (!passphrase)
    progress("it holds the cluster's secrets and keys in the clear: keep it safe, or give a --passphrase-file");
}

export type RestoreCommand = Reach & PassphraseOptions & { replace?: boolean };

export async function restore(context: BackupContext, file: string, options: RestoreCommand): Promise<void> {
  const { home, progress } = context;
  const passphrase = passphraseOf(options);
  const to = await reach(home, options);
  let first: Part | undefined;
  // All of it is looked through before any of it is sent.
  for await (const part of readParts(readBackup(file, passphrase))) first ??= part;
  if (first) progress(`restoring ${inWords(headerOf(first))}`);
  const parts = readParts(readBackup(file, passphrase));
  const { revision, objects } = await upload(context, to, parts, { replace: options.replace === true, fork: false });
  progress(`restored ${objects} objects; the cluster is at revision ${revision}`);
}

export type RewindCommand = Reach & { at?: string; ago?: number; replace?: boolean };

type Moment = { at: string; bookmark: string; revision: number };

/** `skerry restore --at`: back to a moment, where the storage remembers it. */
export async function rewind({ home, progress, effects }: BackupContext, options: RewindCommand): Promise<void> {
  const { ago, replace } = options;
  const at = ago === undefined ? options.at : new Date(effects.now() - ago * 1000).toISOString();
  const of = await reach(home, options);
  const { body } = await sendChecked(of, "GET", `/skerry/moment?at=${encodeURIComponent(at ?? "")}`);
  const { at: moment, bookmark, revision } = body as Moment;
  if (!replace) throw new Error(`all that the cluster has since ${moment} would be lost: with --replace it is`);
  progress(`going back to ${moment}`);
  const told = `revision=${revision}`;
  await sendWhole({ effects }, of, [
    `/skerry/rewind?bookmark=${encodeURIComponent(bookmark)}&${told}`,
    // However that ended: the cluster must hear how far it had come.
    `/skerry/rewound?${told}`,
  ]);
  progress(`the cluster is as it was at ${moment}, and at revision ${revision}`);
}

/** `paths`: the way of the first try, and of those after it. */
async function sendWhole(
  { effects }: Pick<BackupContext, "effects">,
  to: Server,
  [first, next]: [string, string],
): Promise<void> {
  checked("POST", first, await insist(effects, (attempt) => send(to, "POST", attempt === 1 ? first : next)));
}

/** Asks until an answer is no failure that may pass, or often enough: what is sent may have come without an answer. */
async function insist(
  { sleep }: Pick<BackupContext["effects"], "sleep">,
  ask: (attempt: number) => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await ask(attempt);
      const { code } = answer;
      if ((code < 500 && code !== 429) || code === 501 || attempt >= ATTEMPTS) return answer;
    } catch (error) {
      if (attempt >= ATTEMPTS) throw error;
    }
    await sleep(RETRY_MS * 2 ** attempt);
  }
}

export type ForkCommand = { from: string; server?: string; replace?: boolean };

export async function fork(context: BackupContext, name: string, options: ForkCommand): Promise<void> {
  const { home, progress } = context;
  const { server, from } = options;
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
    throw new Error(`${name} is no name for a cluster: lower-case letters, digits and dashes`);
  if (name === from) throw new Error(`${name} is the cluster itself`);
  const source = await reach(home, { cluster: from, server });
  const to = await reach(home, { cluster: name, server });
  // The cluster is made by its administrator's first word.
  await sendChecked(to, "GET", "/version");
  const { objects } = await upload(context, to, download(source), { replace: options.replace === true, fork: true });
  progress(`cluster ${name} has ${objects} objects of ${from}, and no nodes yet; its kubeconfig:`);
  progress(`  skerry kubeconfig --cluster ${name}`);
}

type Restored = { revision: number; objects: number };

async function upload(
  context: BackupContext,
  to: Server,
  parts: AsyncIterable<Part>,
  { replace, fork: isFork }: { replace: boolean; fork: boolean },
): Promise<Restored> {
  const id = context.effects.uid();
  let after = "";
  for await (const part of parts) {
    const path = `/skerry/restore?id=${id}&after=${after}&replace=${replace}&fork=${isFork}`;
    const { body } = await sendPart(context, to, path, part);
    if (part.isLast) return body as Restored;
    after = part.check;
  }
  throw new BackupError("the backup is truncated");
}

/** A part may be sent again, whether or not it had come. */
async function sendPart({ effects }: BackupContext, to: Server, path: string, { bytes }: Part): Promise<Answer> {
  const sending = { bytes, type: "application/x-ndjson", timeoutMs: PART_TIMEOUT_MS };
  return refusal(await insist(effects, async () => read(await open(to, "POST", path, sending))));
}

class RestoreError extends Error {
  override readonly name = "RestoreError";
}

function refusal(answer: Answer): Answer {
  if (answer.code < 300) return answer;
  const why = String(answer.body.message ?? answer.text.slice(0, 200));
  const hint = /must be told to replace/.test(why) ? ". With --replace they are" : "";
  throw new RestoreError(`nothing was changed: ${why}${hint}`);
}
