/** `skerry net doctor`: how this node reaches the others, and why not in a better way. */
import { askReport, type MeshReport, type PeerReport } from "../network/mesh/report.ts";
import type { Home } from "./home.ts";
import { printJson, table } from "./terminal.ts";

export async function netDoctor({ path }: Home, asJson: boolean): Promise<void> {
  const told = await askReport(path);
  if ("problem" in told) throw new Error(told.problem);
  if (asJson) printJson(told.report);
  else process.stdout.write(shown(told.report));
}

const WAYS: Record<PeerReport["path"], string> = {
  lan: "local network",
  idle: "not tried: nothing to send",
  relay: "relay",
  direct: "direct",
};

const GAP = "  ";

export function shown(report: MeshReport): string {
  const { wireguard, publicKey, port, peers } = report;
  const head = [
    ["wireguard:", wireguard],
    ["public key:", publicKey],
    ["port:", `${port}/udp`],
    ["outside:", outside(report)],
  ];
  const rows = [
    ["NODE", "WAY", "AT", "ROUND TRIP", "SENT", "RECEIVED"],
    ...peers.map((peer) => [
      peer.node,
      WAYS[peer.path],
      peer.endpoint || "-",
      peer.roundTripMs === undefined ? "-" : `${peer.roundTripMs} ms`,
      amount(peer.sentBytes),
      amount(peer.receivedBytes),
    ]),
  ];
  const hint = hintFor(report);
  return `${table(head, GAP)}\n${peers.length > 0 ? table(rows, GAP) : "there are no other nodes that could be reached\n"}${hint && `\n${hint}\n`}`;
}

/** What others see: a NAT that gives each of them another port cannot be passed from both sides. */
function outside({ seen, stunServers, port }: MeshReport): string {
  if (seen.length === 0)
    return stunServers.length > 0
      ? `not known: no answer from ${stunServers.join(", ")}`
      : "not known: no --stun server";
  const ports = new Set(seen.map((endpoint) => Number(endpoint.split(":")[1])));
  if (ports.size > 1) return `${seen.join(", ")}: the NAT gives each destination another port`;
  return `${seen.join(", ")}${ports.has(port) ? "" : ": the NAT changes the port"}`;
}

function hintFor({ seen, stunServers, peers }: MeshReport): string {
  if (!peers.some(({ path }) => path === "relay")) return "";
  if (seen.length === 0 && stunServers.length > 0)
    return "UDP does not seem to get out of this network: packets go by relays, encrypted as they are.";
  return "Where the way is a relay, no UDP gets through between the two networks. It is tried again every minute while it is used.";
}

function amount(bytes: number | undefined): string {
  if (bytes === undefined) return "-";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const n = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** n).toFixed(1))} ${units[n]}`;
}
