/** Connections to Services, as the kernel has counted them where it led them to their endpoints. */
import type { Connections, Traffic } from "../../../worker/protocol/link.ts";
import type { Command } from "../commands.ts";
import type { Family } from "../family.ts";
import type { EndpointSlice, Service } from "../types.ts";
import { isBalanced } from "./endpoints.ts";
import { clusterAddressesOf, externalAddresses, PROTOCOLS } from "./rules.ts";
import { BEGUN, COUNTED_S, ENDED, MOST_COUNTED } from "./skeleton.ts";
import { sourcesOf } from "./sources.ts";

/** Rates are over so many ms, or since it was last asked where that is longer ago. */
const WINDOW_MS = 30_000;
/** Counts are kept so far apart, ms. */
const SAMPLE_MS = 5_000;
const SECOND_MS = 1000;

/** What was asked for, as `ADDRESS . PROTOCOL . PORT`: how many connections, and how long ago the last was, ms. */
type Seen = Map<string, { count: number; idleMs: number }>;
type Sample = { at: number; counts: ReadonlyMap<string, number> };

/** What a node leads to endpoints: `keepers` are addresses of its own at which connections are held. */
export type Known = {
  services: readonly Service[];
  slices: readonly EndpointSlice[];
  keepers: readonly string[];
};

type Table = { family: Family; table: string };

/** Those of one family. */
export class ConnectionCounts {
  readonly #command: Command;
  readonly #table: Table;
  readonly #now: () => number;
  /** The oldest first; of one table, whose counts began at `#began`. */
  #samples: Sample[] = [];
  #began: number | undefined;

  constructor(command: Command, table: Table, now: () => number) {
    this.#command = command;
    this.#table = table;
    this.#now = now;
  }

  /** By Service; `began` is since when the table counts, ms. Rejects where it cannot be read. */
  async figures(began: number, { services, slices, keepers }: Known): Promise<Connections> {
    const { family, table } = this.#table;
    const list = (set: string) => this.#command("nft", ["-j", "list", "set", family.word, table, set]);
    const [begun, ended, flows] = await Promise.all([
      list(BEGUN),
      list(ENDED),
      this.#command("conntrack", ["-L", "-f", family.name.toLowerCase(), "--dst-nat"]),
    ]);
    const now = this.#now();
    const counts = new Map<string, number>();
    const found = new Map<string, Traffic>();
    const targets = targetsOf(services, family);
    const add = (asked: string, more: Partial<Traffic> & { count?: number }) => {
      const service = targets.get(asked) ?? targets.get(asked.slice(asked.indexOf(" . ") + 3));
      if (service === undefined) return;
      const { pending, idleMs } = found.get(service) ?? { pending: 0, idleMs: Number.MAX_SAFE_INTEGER };
      counts.set(service, (counts.get(service) ?? 0) + (more.count ?? 0));
      const least = Math.min(idleMs, more.idleMs ?? idleMs);
      found.set(service, { perSecond: 0, pending: pending + (more.pending ?? 0), idleMs: least });
    };
    for (const [asked, seen] of elementsOf(begun)) add(asked, seen);
    for (const [asked, { idleMs }] of elementsOf(ended)) add(asked, { idleMs });
    const alive = aliveOf({ services, slices, keepers }, family);
    for (const { asked, at } of flowsOf(flows)) if (alive.has(at)) add(asked, { pending: 1 });
    const base = this.#baseOf(began, { at: now, counts });
    for (const [service, traffic] of found) {
      const more = (counts.get(service) ?? 0) - (base.counts.get(service) ?? 0);
      traffic.perSecond = now > base.at ? Math.max(0, more / ((now - base.at) / SECOND_MS)) : 0;
    }
    const countedMs = Math.min(now - began, (COUNTED_S - 1) * SECOND_MS);
    return { countedMs, services: Object.fromEntries(found) };
  }

  /** What was counted half a minute ago, or the last time before; keeps what is counted now. */
  #baseOf(began: number, sample: Sample): Sample {
    if (began !== this.#began) this.#samples = [{ at: began, counts: new Map() }];
    this.#began = began;
    while ((this.#samples[1]?.at ?? sample.at) <= sample.at - WINDOW_MS) this.#samples.shift();
    const [base = sample] = this.#samples;
    if (sample.at - (this.#samples.at(-1)?.at ?? 0) >= SAMPLE_MS) this.#samples.push(sample);
    return base;
  }
}

type Element = { elem: { val: { concat: unknown[] }; expires?: number; counter?: { packets?: number } } };

/** Protocols by their numbers, which nft prints where the machine has no /etc/protocols. */
const NUMBERED = new Map<unknown, string>([
  [6, "tcp"],
  [17, "udp"],
  [132, "sctp"],
]);

/** What `nft -j list set` prints. An element expires the later, the later it was of use. Throws where some have no room. */
function elementsOf(text: string): Seen {
  const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: Element[] } }[] };
  const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
  if (elements.length >= MOST_COUNTED)
    throw new Error(`no more than ${MOST_COUNTED} of what is asked for can be counted`);
  return new Map(
    elements.map(({ elem: { val, expires = 0, counter } }) => {
      // It is told in whole seconds: rather too short than too long.
      const idleMs = Math.max(0, (COUNTED_S - expires - 1) * SECOND_MS);
      const [address, protocol, port] = val.concat;
      return [`${address} . ${NUMBERED.get(protocol) ?? protocol} . ${port}`, { count: counter?.packets ?? 0, idleMs }];
    }),
  );
}

const OVER = new Set(["TIME_WAIT", "CLOSE", "LAST_ACK"]);
const FLOW =
  /^(\w+)\s+\d+\s+\d+\s+(?:([A-Z_0-9]+)\s+)?src=\S+ dst=(\S+) sport=\d+ dport=(\d+)\s.*?src=(\S+) dst=\S+ sport=(\d+)/;

/** What `conntrack -L` prints: flows that are not over, by what they asked for and `ADDRESS:PORT` that they were led to. */
export function* flowsOf(text: string): Generator<{ state: string; asked: string; at: string }> {
  for (const line of text.split("\n")) {
    const [, protocol = "", state = "", address = "", port = "", at = "", atPort = ""] = FLOW.exec(line) ?? [];
    if (!protocol || OVER.has(state)) continue;
    yield { state, asked: `${address} . ${protocol} . ${port}`, at: `${at}:${atPort}` };
  }
}

/** By what is asked for, `namespace/name`: addresses of Services, and ports of every address of the node. */
function targetsOf(services: readonly Service[], family: Family): Map<string, string> {
  const targets = new Map<string, string>();
  for (const service of services.filter((service) => isBalanced(service, family))) {
    const { metadata, spec } = service;
    const key = `${metadata?.namespace}/${metadata?.name}`;
    const addresses = [...clusterAddressesOf(service, family), ...externalAddresses(service, family)];
    for (const { protocol = "TCP", port, nodePort } of spec?.ports ?? []) {
      const word = PROTOCOLS[protocol];
      for (const address of addresses) targets.set(`${address} . ${word} . ${port}`, key);
      if (nodePort && spec?.type !== "ClusterIP") targets.set(`${word} . ${nodePort}`, key);
    }
  }
  return targets;
}

/** Where a flow may still be alive: a pod that has gone says no goodbye. */
function aliveOf({ services, slices, keepers }: Known, family: Family) {
  const alive = new Set<string>(keepers);
  for (const { slices: own } of sourcesOf(services, slices).values())
    for (const { endpoints, ports } of own)
      for (const { addresses } of endpoints ?? [])
        for (const { port } of ports ?? []) alive.add(`${family.canonical(addresses?.[0] ?? "")}:${port}`);
  return alive;
}
