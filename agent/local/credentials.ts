import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { administratorToken } from "../../worker/lib/administrator.ts";
import { files, type Home, writeFile } from "./home.ts";
import type { Server } from "./http.ts";

const CLUSTER = "default";

/** The deployment's secret: made once, kept on this machine, bound to the Worker. */
export function ensureSecret(home: string): string {
  const path = files(home).secret;
  if (!existsSync(path)) writeFile(path, `${randomBytes(32).toString("base64url")}\n`);
  return readFileSync(path, "utf8").trim();
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
