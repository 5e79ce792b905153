import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { administratorToken } from "../../worker/lib/administrator.ts";
import { files, type Home, writeFile } from "./home.ts";
import type { Server } from "./http.ts";

const CLUSTER = "default";

const newSecret = () => randomBytes(32).toString("base64url");

/**
 * The deployment's secrets, a line each, as they are bound to the Worker: the first made once, and kept on this machine;
 * below it former ones, by which what is stored can still be read.
 */
export function ensureSecrets(home: string): string {
  const path = files(home).secret;
  if (!existsSync(path)) writeFile(path, `${newSecret()}\n`);
  return readFileSync(path, "utf8").trim();
}

/** The present one. */
export const ensureSecret = (home: string): string => ensureSecrets(home).split("\n")[0] as string;

/** A new secret above those that there are. */
export const addSecret = (home: string): void =>
  writeFile(files(home).secret, `${newSecret()}\n${ensureSecrets(home)}\n`);

/** How many former ones there were. */
export function dropFormerSecrets(home: string): number {
  const [present, ...former] = ensureSecrets(home).split("\n");
  writeFile(files(home).secret, `${present}\n`);
  return former.length;
}

/** The administrator's way in. */
export async function administrator(home: Home, cluster = CLUSTER): Promise<Server & { ca: string; token: string }> {
  const token = await administratorToken(ensureSecret(home.path), cluster);
  const path = cluster === CLUSTER ? "" : `/clusters/${cluster}`;
  return {
    url: `https://127.0.0.1:${home.port}${path}`,
    ca: readFileSync(files(home.path).caCertificate, "utf8"),
    token,
  };
}
