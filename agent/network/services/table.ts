import { attempt, type Command } from "../commands.ts";
import { flowsOf } from "./connections.ts";
import { EMPTY, type Ruleset, renderDiff } from "./ruleset.ts";
import { renderSkeleton, type Skeleton } from "./skeleton.ts";

/**
 * Our nftables table and what it was last brought to. The first `apply` makes it anew in one transaction, so a table
 * left by an earlier run serves until then; later ones write only differences.
 */
export class ServiceTable {
  readonly #command: Command;
  readonly #skeleton: Skeleton;
  #applied: Ruleset | undefined;
  readonly #now: () => number;
  #madeAt: number | undefined;

  constructor(command: Command, skeleton: Skeleton, now: () => number) {
    this.#command = command;
    this.#skeleton = skeleton;
    this.#now = now;
  }

  /** Since when it stands, and counts, ms; undefined while it may not. */
  get began(): number | undefined {
    return this.#applied && this.#madeAt;
  }

  /** With its family. */
  get #name(): string {
    return `${this.#skeleton.family.word} ${this.#skeleton.table}`;
  }

  /** Rejects when nft refuses; the kernel then still has the state before, and the next call starts anew. */
  async apply(next: Ruleset): Promise<void> {
    const table = this.#name;
    const old = this.#applied;
    const script = old ? renderDiff(table, old, next) : renderSkeleton(this.#skeleton) + renderDiff(table, EMPTY, next);
    if (script === "") return;
    this.#applied = undefined;
    await this.#command("nft", ["-f", "-"], script);
    if (!old) this.#madeAt = this.#now();
    this.#applied = next;
    if (old) await this.#forget(old, next);
  }

  /** Finds out whether someone else removed the table (`nft flush ruleset`); the next `apply` then makes it anew. */
  async verify(): Promise<boolean> {
    if (!this.#applied) return false;
    try {
      // Changes nothing, and is the one question that nft answers without reading all tables first.
      await this.#command("nft", ["add", "chain", ...this.#name.split(" "), "refuse"]);
      return true;
    } catch {
      this.#applied = undefined;
      return false;
    }
  }

  async remove(): Promise<void> {
    this.#applied = undefined;
    await attempt(this.#command("nft", ["delete", "table", ...this.#name.split(" ")]));
  }

  async #forget(old: Ruleset, next: Ruleset): Promise<void> {
    const conntrack = (verb: string, ...flow: readonly string[]) =>
      this.#command("conntrack", [verb, "-f", this.#skeleton.family.name.toLowerCase(), ...flow]);
    for (const flow of staleUdpFlows(old, next)) await attempt(conntrack("-D", "-p", "udp", ...flow));
    const gone = goneTargets("tcp", old, next);
    if (gone.length === 0) return;
    const unanswered = ["-p", "tcp", "--state", "SYN_SENT", "--dst-nat"];
    const waited = waitedFor(await conntrack("-L", ...unanswered).catch(() => ""));
    for (const target of gone)
      if (waited.has(target)) await attempt(conntrack("-D", ...unanswered, ...flowFrom(target)));
  }
}

/** Maps whose destinations are answered by the node itself, or beyond it, while nothing is served there. */
const OUTSIDE = ["node_ports", "host_ports", "host_ip_ports", "external_ips"];

/**
 * Options of conntrack for the flows that a change leaves behind. UDP has no end of connection, so a client that keeps
 * its port would go on for long to a dead endpoint, or past one that came after its first packet.
 */
export function staleUdpFlows(old: Ruleset, next: Ruleset): string[][] {
  const gone = goneTargets("udp", old, next).map((target) => ["--dst-nat", ...flowFrom(target)]);
  const begun = OUTSIDE.flatMap((map) =>
    [...(next.elements.get(map)?.keys() ?? [])].filter((key) => isUdp(key) && !old.elements.get(map)?.has(key)),
  );
  return [...gone, ...begun.map(flowTo)];
}

/**
 * `ADDRESS . PORT` of flows as `conntrack -L` prints them. Of SYNs that nothing answered: what a client sends again follows
 * its first packet to an endpoint that is gone, and so does a later connection that happens to have its port.
 */
export const waitedFor = (printed: string): Set<string> =>
  new Set(
    [...flowsOf(printed)].flatMap(({ state, at }) => (state === "SYN_SENT" ? at.replace(/:(?=\d+$)/, " . ") : [])),
  );

const isOf = (protocol: string, key: string) => key.split(" . ").includes(protocol);
const isUdp = (key: string) => isOf("udp", key);

function flowFrom(target: string): string[] {
  const [address = "", port = ""] = target.split(" . ");
  return ["--reply-src", address, "--reply-port-src", port];
}

/** `udp . PORT` or `ADDRESS . udp . PORT` */
function flowTo(key: string): string[] {
  const parts = key.split(" . ");
  const port = ["--orig-port-dst", parts.at(-1) ?? ""];
  return parts.length === 3 ? ["--orig-dst", parts[0] ?? "", ...port] : port;
}

type Protocol = "tcp" | "udp";

function goneTargets(protocol: Protocol, old: Ruleset, next: Ruleset): string[] {
  const after = targets(protocol, next);
  return [...targets(protocol, old)].filter((target) => !after.has(target));
}

/** `ADDRESS . PORT` of all that a protocol is led to. */
function targets(protocol: Protocol, { chains, elements }: Ruleset): Set<string> {
  const found = new Set<string>();
  for (const rule of [...chains.values()].flat()) {
    if (!rule.includes(`meta l4proto ${protocol} dnat`)) continue;
    for (const [, address, port] of rule.matchAll(/([0-9a-f.:]*[0-9a-f])(?: \. |\]?:)(\d+)(?=$|[ ,])/g))
      found.add(`${address} . ${port}`);
  }
  for (const map of ["host_ports", "host_ip_ports"])
    for (const [key, target] of elements.get(map) ?? []) if (isOf(protocol, key)) found.add(target);
  return found;
}
