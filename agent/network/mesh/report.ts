/** What `skerry net doctor` tells of a node's ways to others. */

import { rmSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import { errorText } from "../../../worker/lib/error-text.ts";
import type { Path } from "./path-state.ts";
import type { Endpoint } from "./stun.ts";

export type PeerReport = {
  node: string;
  path: Path;
  /** Where it is reached; "" where by no address. */
  endpoint: Endpoint;
  /** A socket to a Relay is open between the two. */
  isRelayOpen: boolean;
  /** Of the last check that was answered, ms. */
  roundTripMs?: number;
  /** Of WireGuard: when keys were last agreed on, ms since the epoch, and what went to and fro. */
  handshakeAt?: number;
  receivedBytes?: number;
  sentBytes?: number;
};

export type MeshReport = {
  wireguard: "kernel" | "wireguard-go" | "not needed yet";
  publicKey: string;
  port: number;
  stunServers: readonly string[];
  /** What others see this node's port as. */
  seen: readonly Endpoint[];
  peers: readonly PeerReport[];
};

export type Told = { report: MeshReport } | { problem: string };

/** Root alone may connect to it. */
const socketIn = (home: string) => join(home, "net.sock");

/** The agent tells its report to whoever connects. */
export function serveReports(home: string, report: () => Promise<MeshReport> | undefined): Server {
  const path = socketIn(home);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const none = { problem: "this node has no tunnels: wg is missing, or its network is not up yet" };
    Promise.resolve(report())
      .then((found): Told => (found ? { report: found } : none))
      .catch((error): Told => ({ problem: errorText(error) }))
      .then((told) => socket.end(JSON.stringify(told)));
  });
  server.on("error", () => {});
  try {
    rmSync(path, { force: true });
    server.listen(path);
  } catch {
    // A disk that cannot be written has no socket of this agent.
  }
  return server;
}

/** Asks the agent of this home. */
export function askReport(home: string): Promise<Told> {
  return new Promise((resolve, reject) => {
    let text = "";
    createConnection(socketIn(home))
      .setEncoding("utf8")
      .on("data", (chunk: string) => {
        text += chunk;
      })
      .on("end", () => resolve(JSON.parse(text) as Told))
      .on("error", () => reject(new Error(`no agent of ${home} runs on this machine`)));
  });
}
