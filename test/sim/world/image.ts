/** A cluster's first storage, made once a process by the real host and then copied into every world. */
import { Host, type HostPlatform } from "../../../worker/host.ts";
import { administratorToken } from "../../../worker/lib/administrator.ts";
import type { Certificates } from "../../../worker/lib/certificates.ts";
import { nodeSql } from "../../../worker/storage/node-sql.ts";
import { stream, uid } from "./random.ts";
import { outside } from "./real-async.ts";

/** Ranges are so small that what is free again is soon taken again. */
const RANGES = { serviceCIDR: "10.96.0.0/28", nodePorts: { first: 30_000, last: 30_007 } };
export const SETTINGS = {
  SKERRY_SECRET: "the simulator's own secret, of no use elsewhere",
  SKERRY_CONFIG: JSON.stringify(RANGES),
};
/** When every world begins. */
export const BEGINNING = Date.UTC(2026, 0, 5, 3, 4, 5);
export const NODE_NAMES = ["node-0", "node-1", "node-2", "node-3"] as const;

/** No key is ever checked here, so none is made. */
export const CERTIFICATES: Certificates = {
  createAuthority: async () => ({ certificate: "the cluster's certificate", key: "the cluster's key" }),
  issueServer: async () => ({ certificate: "a server's certificate", key: "a server's key" }),
  issueClient: async () => ({ certificate: "a client's certificate", key: "a client's key" }),
};

export type Image = {
  bytes: Uint8Array;
  adminToken: string;
  nodeTokens: ReadonlyMap<string, string>;
};

let made: Promise<Image> | undefined;

/** The same each time. */
export function image(): Promise<Image> {
  made ??= make();
  return made;
}

async function make(): Promise<Image> {
  const sql = nodeSql(":memory:");
  const random = stream(0, "image");
  const deferred: (() => void)[] = [];
  const platform: HostPlatform = {
    sql,
    effects: { now: () => BEGINNING, random, uid: () => uid(random) },
    certificates: CERTIFICATES,
    exclusively: (body) => body(),
    defer: (body) => {
      deferred.push(body);
    },
    sockets: () => [],
    accept: () => {
      throw new Error("no sockets yet");
    },
    getAlarm: async () => null,
    setAlarm: () => undefined,
  };
  const adminToken = await administratorToken(SETTINGS.SKERRY_SECRET, "default");
  const host = new Host(platform, SETTINGS);
  const ask = async (method: string, path: string, body?: unknown): Promise<Record<string, string>> => {
    const init = { method, headers: { authorization: `Bearer ${adminToken}` } };
    const request = new Request(`https://cluster${path}`, {
      ...init,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = host.fetch(request);
    let done = false;
    void answer.finally(() => {
      done = true;
    });
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      deferred.shift()?.();
    }
    const response = await answer;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, string>;
  };
  const { token } = await ask("POST", "/skerry/tokens", {});
  const nodeTokens = new Map<string, string>();
  for (const name of NODE_NAMES)
    nodeTokens.set(name, (await ask("POST", "/skerry/join", { token, name })).token as string);
  // What the bootstrap has set going.
  for (let quiet = 0; quiet < 5; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const body = deferred.shift();
    if (body) body();
    quiet = body ? 0 : quiet + 1;
  }
  await outside(async () => undefined);
  const bytes = sql.serialize();
  sql.close();
  return { bytes, adminToken, nodeTokens };
}
