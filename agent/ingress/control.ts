/** What the agent and the node's ingress proxy say to each other: JSON, a line each, on a socket in the node's home. */
import type { Socket } from "node:net";
import { join } from "node:path";
import type { NodeTraffic } from "../../worker/protocol/link.ts";
import type { ProxyConfig } from "./config.ts";
import type { Taken } from "./counts.ts";

/** Certificates that are the same as before are not said again. */
export type Told = Omit<ProxyConfig, "certificates"> & Partial<Pick<ProxyConfig, "certificates">>;

export type ToProxy =
  /** Of the agent. A proxy of another one listens no more, and ends when those it serves have their answers. */
  | { version: string }
  /** `null` where nothing is to be served. */
  | { config: Told | null }
  /** Asks what requests it has seen; answered under the same number. */
  | { ask: number }
  /** Asks likewise for what it has counted since it was last asked so. */
  | { take: number }
  /** Nobody is served any more. */
  | { end: true };

/** Ports on which it listens, 0 for none; why it is not those that were wanted; and which certificates are none. */
export type Listening = { http: number; https: number; problems: string[]; certificates: string[] };
export type FromProxy =
  | { listening: Listening }
  | { log: string }
  /** Requests wait for this Service, `namespace/name`, which has no endpoints. */
  | { wake: string }
  | { answers: number; traffic: NodeTraffic }
  | { answers: number; taken: Taken };

export const controlFolder = (home: string): string => join(home, "ingress");
export const controlSocket = (folder: string): string => join(folder, "proxy.sock");

export const say = (socket: Socket, message: ToProxy | FromProxy): void =>
  void socket.write(`${JSON.stringify(message)}\n`);

/** What is no JSON ends the connection. */
export function hear<T extends ToProxy | FromProxy>(socket: Socket, take: (message: T) => void): void {
  let rest = "";
  socket.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = parsed<T>(line);
      if (!message) return void socket.destroy();
      take(message);
    }
  });
}

function parsed<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}
