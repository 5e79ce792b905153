/** A cluster in this process, as its object has it: the platform is a database in memory, and sockets that remember. */
import { Host, type HostPlatform } from "../../worker/host.ts";
import { administratorToken } from "../../worker/lib/administrator.ts";
import type { Attachment, HostSocket } from "../../worker/sockets.ts";
import { type NodeSql, nodeSql } from "../../worker/storage/node-sql.ts";

const SECRET = "a secret of enough characters";

export type KeptSocket = HostSocket & {
  tag: string;
  name: string | undefined;
  open: boolean;
  sent: string[];
  code: number;
};

export type ClusterObjectOptions = {
  name?: string;
  /** The deployment's. */
  secret?: string;
  sql?: NodeSql;
  /** Other parts of the platform. */
  platform?: Partial<HostPlatform>;
  config?: object;
};

function keptSocket(tag: string, name: string | undefined): KeptSocket {
  let attachment: Attachment;
  return {
    tag,
    name,
    open: true,
    sent: [],
    code: 0,
    send(data) {
      this.sent.push(typeof data === "string" ? data : new TextDecoder().decode(data));
    },
    close(code) {
      this.open = false;
      this.code = code;
    },
    attachment: () => attachment,
    keep: (kept) => {
      attachment = kept;
    },
    answeredAt: () => undefined,
  };
}

/** Its storage and sockets outlive its memory, which `sleep` throws away. */
export function clusterObject(options: ClusterObjectOptions = {}) {
  const { name = "default", secret = SECRET, sql = nodeSql(":memory:"), platform: others = {}, config = {} } = options;
  const state = { now: Date.UTC(2026, 0, 2, 3, 4, 5), alarm: undefined as number | undefined };
  const sockets: KeptSocket[] = [];
  let soon = 0;
  let seed = 1;
  /** Park and Miller's: the names that are made of it differ. */
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const platform: HostPlatform = {
    sql,
    effects: { now: () => state.now, random, uid: () => crypto.randomUUID() },
    certificates: {
      createAuthority: async (subject) => ({
        certificate: `CERTIFICATE ${subject} ${crypto.randomUUID()}`,
        key: "KEY",
      }),
      issueServer: async () => ({ certificate: "CERTIFICATE", key: "KEY" }),
      issueClient: async () => ({ certificate: "CERTIFICATE", key: "KEY" }),
    },
    exclusively: (body) => body(),
    defer(body) {
      soon++;
      setImmediate(() => {
        soon--;
        body();
      });
    },
    sockets: (tag) => sockets.filter((socket) => socket.tag === tag && socket.open),
    accept(tag, of) {
      const socket = keptSocket(tag, of);
      sockets.push(socket);
      return { socket, answer: () => new Response(null, { status: 200 }) };
    },
    getAlarm: async () => state.alarm ?? null,
    setAlarm: (at) => {
      state.alarm = at;
    },
    ...others,
  };
  const settings = { SKERRY_SECRET: secret, SKERRY_CONFIG: JSON.stringify(config) };
  let host = new Host(platform, settings);

  const authorization = async () => `Bearer ${await administratorToken(secret, name)}`;

  async function fetch(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) {
    const request = new Request(`https://cluster${path}`, {
      method,
      headers: {
        authorization: await authorization(),
        "x-skerry-cluster": name,
        "content-type": "application/json",
        ...headers,
      },
      ...(body !== undefined && { body }),
    });
    return host.fetch(request);
  }

  return {
    state,
    sql,
    sockets,
    authorization,
    fetch,
    host: () => host,
    sleep() {
      host = new Host(platform, settings);
    },
    /** Until nothing is left to do that was put off. */
    async settled() {
      while (soon > 0) await new Promise(setImmediate);
    },
    /** The answer's body; throws what is no success. */
    async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
      const answer = await fetch(method, path, body === undefined ? undefined : JSON.stringify(body));
      const text = await answer.text();
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return JSON.parse(text) as T;
    },
  };
}

export type ClusterObject = ReturnType<typeof clusterObject>;
