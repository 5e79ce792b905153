/** `skerry secrets`: changing the secret under which clusters are stored. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Printed } from "./command-options.ts";
import { addSecret, administrator, dropFormerSecrets } from "./credentials.ts";
import { files, type Home } from "./home.ts";
import { sendChecked } from "./http.ts";
import type { Progress } from "./install.ts";
import { type Reach, reach } from "./reach.ts";
import { printJson } from "./terminal.ts";

const PATH = "/skerry/encryption";

type Keys = { keys: { id: number; secret: "present" | "former" }[]; rewriting: boolean };

async function keysOf(home: Home, options: Reach): Promise<Keys> {
  const { body } = await sendChecked(await reach(home, options), "GET", PATH);
  return body as unknown as Keys;
}

const isDone = ({ keys, rewriting }: Keys) => !rewriting && keys.every(({ secret }) => secret === "present");

export async function showKeys(home: Home, { json, ...options }: Reach & Printed): Promise<void> {
  const found = await keysOf(home, options);
  if (json) return printJson(found);
  for (const [place, { id, secret }] of found.keys.entries())
    process.stdout.write(`key ${id}\t${place === 0 ? "encrypts" : "decrypts"}\tunder the ${secret} secret\n`);
  process.stdout.write(
    found.rewriting
      ? "what former keys encrypted is being written anew\n"
      : "all that is to be encrypted is so with the first key; former secrets are not needed for it\n",
  );
}

export async function rotate(
  home: Home,
  { keyOnly, cluster }: { keyOnly?: boolean; cluster: string },
  progress: Progress,
): Promise<void> {
  if (keyOnly) {
    await sendChecked(await administrator(home, cluster), "POST", PATH);
    return progress("a new key encrypts; what is stored is written anew");
  }
  addSecret(home.path);
  progress(`a new secret stands first in ${files(home.path).secret}, and administrators' tokens change with it`);
  progress(
    "now start `skerry up` again, or run `skerry deploy`; when `skerry secrets status` says that former secrets",
  );
  progress("are not needed, in every cluster of the deployment, `skerry secrets prune` forgets them");
}

export async function prune(home: Home, clusters: readonly string[], progress: Progress): Promise<void> {
  const stored = storedClusters(home);
  if (stored > clusters.length)
    throw new Error(`${stored} clusters are stored here: name them all, for each may need the former secrets`);
  for (const cluster of clusters)
    if (!isDone(await keysOf(home, { cluster })))
      throw new Error(`cluster ${cluster} still has something stored under a former secret: try again later`);
  progress(`forgot former secrets: ${dropFormerSecrets(home.path)}`);
}

/** Of those that live on this machine. */
function storedClusters(home: Home): number {
  const folder = join(files(home.path).storage, "skerry-cluster");
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name)).length;
}
