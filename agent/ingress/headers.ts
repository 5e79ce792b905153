/** Headers on their way through: what is dropped, and what the program is told of the client. */
import { BlockList, isIP } from "node:net";
import { HOP_BY_HOP } from "../../worker/protocol/proxy.ts";

export type Pairs = [name: string, value: string][];

/** Where a request came in. */
export type Arrival = {
  address: string;
  isSecure: boolean;
  port: number;
  /** What the client named when it asked for a certificate. */
  serverName?: string;
  /** The port as it is called, whatever the node's is. */
  listener: number;
};

/** Of what a client says of these, nothing is believed. */
const SAID_BY_PROXIES = new Set([
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-server",
  "x-real-ip",
]);

export function pairs(raw: readonly string[]): Pairs {
  const found: Pairs = [];
  for (let at = 0; at + 1 < raw.length; at += 2) found.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return found;
}

export const valuesOf = (headers: Pairs, wanted: string): string[] =>
  headers.flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []));

/** What speaks of the request or its answer, and not of the connection: RFC 9110, 7.6.1. */
export function endToEnd(headers: Pairs): Pairs {
  const named = new Set(
    valuesOf(headers, "connection").flatMap((value) => value.split(",").map((word) => word.trim().toLowerCase())),
  );
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && !named.has(lower) && !lower.startsWith(":") && lower !== "http2-settings";
  });
}

/** Whose word on the client is taken. What is no address or range is passed over. */
export function trustedList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    try {
      if (bits === undefined) list.addAddress(address, family);
      else list.addSubnet(address, Number(bits), family);
    } catch {
      // not an address
    }
  }
  return list;
}

/** As sockets that listen for both families tell an IPv4 address: `::ffff:192.0.2.1`. */
export const plainAddress = (address = ""): string => address.replace(/^::ffff:(?=\d+\.)/, "");

/** The headers as the program is to see them. `host` is what the client named. */
export function forwarded(headers: Pairs, host: string, arrival: Arrival, trusted: BlockList): Pairs {
  const { address, isSecure, port } = arrival;
  const isTrusted = trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  const before = (name: string) => (isTrusted ? valuesOf(headers, name) : []);
  const told = (name: string, own: string): [string, string] => [name, before(name.toLowerCase())[0] ?? own];
  const node = isIP(address) === 6 ? `"[${address}]"` : address;
  const element = `for=${node};host="${host}";proto=${isSecure ? "https" : "http"}`;
  const through = [...before("x-forwarded-for"), address].join(", ");
  return [
    ...endToEnd(headers).filter(([name]) => !SAID_BY_PROXIES.has(name.toLowerCase())),
    ["X-Forwarded-For", through],
    told("X-Forwarded-Host", host),
    told("X-Forwarded-Port", String(port)),
    told("X-Forwarded-Proto", isSecure ? "https" : "http"),
    ["X-Real-IP", through.split(",")[0]?.trim() ?? address],
    ["Forwarded", [...before("forwarded"), element].join(", ")],
  ];
}
