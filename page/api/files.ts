/** Files of a container, as `kubectl cp` takes and brings them: by its `tar`, through exec. */
import type { Client } from "./client.ts";
import { type Command, Exec, type Target } from "./exec.ts";
import { entriesOf, headerOf, paddingOf } from "./tar.ts";

/** The browser holds a download whole, and a node need not wait for a larger one to come by a relay. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
/** What waits in the browser to be sent; a WebSocket takes whatever it is given. */
const MOST_WAITING_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 20;
const MAX_COMPLAINT = 2_000;

type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Throws what the command complained of, or what the API says of it; why it was stopped, at once. */
async function run(
  client: Client,
  target: Target,
  command: Omit<Command, "stderr">,
  stop: AbortSignal,
  feed?: (exec: Exec, isOver: AbortSignal) => Promise<void>,
) {
  let complaint = "";
  const decoder = new TextDecoder();
  const stderr = (bytes: Uint8Array) => {
    if (complaint.length < MAX_COMPLAINT) complaint += decoder.decode(bytes, { stream: true });
  };
  stop.throwIfAborted();
  const exec = new Exec(client, target, { ...command, stderr });
  const over = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener("abort", () => reject(stop.reason), { signal: over.signal });
  });
  try {
    const [ending] = await Promise.race([
      Promise.all([exec.ended.finally(() => over.abort()), feed?.(exec, over.signal)]),
      stopped,
    ]);
    if (ending.code !== 0) throw new Error(complaint.trim() || ending.message);
  } finally {
    over.abort();
    exec.close();
  }
}

/** The folder and the name in it of an absolute path; throws for any other. */
function split(path: string): [folder: string, name: string] {
  const found = /^(\/.*?)\/*([^/]+)\/*$/.exec(path.trim());
  if (!found?.[1] || !found[2] || /^\.\.?$/.test(found[2])) throw new Error("Say a path that begins with a slash.");
  return [found[1], found[2]];
}

/** A file as it is; a folder as an archive of it. */
export async function download(client: Client, target: Target, path: string, signal: AbortSignal): Promise<File> {
  const [folder, name] = split(path);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const full = new AbortController();
  const words = ["tar", "cf", "-", "-C", folder, `./${name}`];
  const stdout = (bytes: Uint8Array) => {
    size += bytes.length;
    if (size > MAX_FILE_BYTES) full.abort(tooLarge);
    else pieces.push(bytes as Uint8Array<ArrayBuffer>);
  };
  await run(client, target, { words, stdout }, AbortSignal.any([signal, full.signal]));
  const archive = new Uint8Array(await new Blob(pieces).arrayBuffer());
  const [first, second] = entriesOf(archive);
  const type = "application/octet-stream"; // whatever it holds, a browser shows none of it
  return first?.isFile && !second
    ? new File([first.data], name, { type })
    : new File([archive], `${name}.tar`, { type });
}

const tooLarge = new Error(`It is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB: kubectl cp brings it.`);

/** Into a folder that is there. */
export async function upload(
  client: Client,
  target: Target,
  folder: string,
  file: File,
  { sleep, signal }: { sleep: Sleep; signal: AbortSignal },
): Promise<void> {
  if (!folder.startsWith("/")) throw new Error("Say a folder that begins with a slash.");
  if (file.size > MAX_FILE_BYTES) throw tooLarge;
  const header = headerOf(file.name, file.size);
  const words = ["tar", "xmf", "-", "-C", folder];
  await run(client, target, { words, stdin: true, stdout: () => {} }, signal, async (exec, isOver) => {
    exec.write(header);
    for (let at = 0; at < file.size && !isOver.aborted; at += PIECE_BYTES) {
      while (exec.waiting > MOST_WAITING_BYTES && !isOver.aborted) await sleep(LOOK_AGAIN_MS, isOver);
      exec.write(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
    }
    exec.write(paddingOf(file.size));
    exec.finish();
  });
}
