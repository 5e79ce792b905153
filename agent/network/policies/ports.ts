import type { PolicyPort } from "../../../worker/protocol/policies.ts";
import { isPort } from "../services/endpoints.ts";

const PROTOCOLS: Record<string, string> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };

/** nft's word for a protocol; undefined for one that Kubernetes does not have. */
export const protocolWord = (protocol: string): string | undefined =>
  Object.hasOwn(PROTOCOLS, protocol) ? PROTOCOLS[protocol] : undefined;

type Range = { from: number; to: number };

/** What matches numbered ports: of one protocol together, as few numbers as say it. nft refuses ranges that overlap. */
export function portMatches(ports: readonly PolicyPort[]): string[] {
  return Object.entries(PROTOCOLS).flatMap(([protocol, word]) => {
    const own = ports.filter((port) => port.protocol === protocol && port.name === undefined);
    if (own.length === 0) return [];
    if (own.some(({ from }) => from === undefined)) return [`meta l4proto ${word}`];
    const ranges = joined(
      own.flatMap(({ from, to = from }) => (isPort(from) && isPort(to) && from <= to ? [{ from, to }] : [])),
    );
    if (ranges.length === 0) return [];
    const words = ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
    return [`meta l4proto ${word} th dport { ${words.join(", ")} }`];
  });
}

function joined(ranges: readonly Range[]): Range[] {
  const found: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
    else found.push({ ...range });
  }
  return found;
}

/** Whether a numbered port is among these; all are where there are none. */
export function admitsPort(ports: readonly PolicyPort[] | undefined, protocol: string, port: number): boolean {
  if (!ports) return true;
  return ports.some(
    ({ protocol: of, from, to = from, name }) =>
      of === protocol && name === undefined && (from === undefined || (from <= port && port <= (to ?? from))),
  );
}
