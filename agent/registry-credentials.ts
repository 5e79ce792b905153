import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryCredentials } from "./runtime.ts";

/** Calls `body` with a folder, as DOCKER_CONFIG names one, that holds the credentials for that time alone. */
export async function withCredentials<T>(
  auths: RegistryCredentials | undefined,
  body: (folder: string | undefined) => Promise<T>,
): Promise<T> {
  if (!auths) return body(undefined);
  const folder = mkdtempSync(join(tmpdir(), "skerry-pull-"));
  try {
    writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
