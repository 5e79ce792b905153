import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** The kernel lends no port of these to a connection, and no Service or kubelet has one: what is free stays so until it is used. */
const FIRST = 12_000;
const LAST = 29_999;
const ENOUGH = 1_000;

/** Below the kernel's first port for connections, where that leaves enough. */
function last(): number {
  const [lowest] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/);
  const below = Number(lowest) - 1;
  return below < FIRST + ENOUGH ? LAST : Math.min(LAST, below);
}

/** Test files run one after the other, each in a process of its own: they begin at different places. */
let next = process.pid * 16;

/** A TCP port of loopback that nobody listens on, and that nobody here was given before. */
export async function freePort(): Promise<number> {
  const span = last() - FIRST + 1;
  for (let tries = 0; tries < span; tries++) {
    const port = FIRST + (next++ % span);
    if (await isFree(port)) return port;
  }
  throw new Error("no port is free");
}

/** Of all addresses: what another listens on at one of them alone is taken too. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}
