import { batcher } from "../../batching.ts";
import { limiter } from "../../limiter.ts";
import { attempt, type Command } from "../commands.ts";
import type { Family } from "../family.ts";
import type { Pod, PolicyState } from "../types.ts";
import { PeerSets } from "./peers.ts";
import { type OwnService, policyRuleset } from "./rules.ts";
import { EGRESS, INGRESS } from "./skeleton.ts";
import { isNothing, PolicyTable } from "./table.ts";

export type PolicyGuardOptions = {
  command: Command;
  /** Name of the nftables tables, one a family. */
  table: string;
  families: readonly Family[];
  own: readonly OwnService[];
  /** By address, the pods' network namespaces that are there. */
  opened(): ReadonlyMap<string, string>;
};

type Wanted = { policies: PolicyState; podCIDRs: readonly string[] };

/**
 * Keeps NetworkPolicies in force for this node's pods. What selects a pod is in the kernel before `admit` of its network
 * namespace resolves, so that no process of it ever ran without.
 */
export class PolicyGuard {
  readonly #options: PolicyGuardOptions;
  readonly #tables: readonly { family: Family; table: PolicyTable; sets: PeerSets }[];
  /** Whose namespaces were opened: their pods may be gone from what is wanted while they end. */
  readonly #pods = new Map<string, Pod>();
  #wanted: Wanted | undefined;
  /** Calls that wait for their turn are served by one run, which sees what each of them brought. */
  readonly #run = batcher(limiter(1), Number.POSITIVE_INFINITY, () => this.#apply());

  constructor(options: PolicyGuardOptions) {
    this.#options = options;
    this.#tables = options.families.map((family) => ({
      family,
      table: new PolicyTable(options.command, options.table, family),
      sets: new PeerSets(family),
    }));
  }

  /** What is wanted from the next `enforce` on. */
  want(policies: PolicyState, podCIDRs: readonly string[]): void {
    this.#wanted = { policies, podCIDRs };
  }

  /** Resolves when the kernel has what is wanted. Until something was, it has what an earlier run left. */
  enforce(): Promise<void> {
    return this.#wanted ? this.#run([""]) : Promise.resolve();
  }

  /** A pod has this namespace and these addresses now. Rejects when its policies could not be brought into force. */
  async admit(namespace: string, addresses: readonly string[], pod: Pod): Promise<void> {
    this.#pods.set(namespace, pod);
    if (!this.#isConcerned()) return;
    await this.enforce();
    for (const address of addresses) if (this.#isIsolated(address)) await this.#forgetFlows(address);
  }

  /** A namespace is gone. True when there is something to take out of the kernel. */
  closed(namespace: string): boolean {
    this.#pods.delete(namespace);
    return this.#isConcerned();
  }

  /** There are policies, or were when it was last looked. */
  #isConcerned(): boolean {
    if ((this.#wanted?.policies.rules().size ?? 0) > 0) return true;
    return this.#tables.some(({ table: { applied } }) => applied !== undefined && !isNothing(applied));
  }

  #isIsolated(address: string): boolean {
    return this.binds("ingress", address) || this.binds("egress", address);
  }

  /** Whether a policy has a say in what comes to this node's pod of the address, or leaves it. */
  binds(direction: "ingress" | "egress", address: string): boolean {
    const map = direction === "ingress" ? INGRESS : EGRESS;
    return this.#tables.some(({ table: { applied } }) =>
      // What is in the kernel is not known at each moment.
      applied ? applied.elements.get(map)?.has(address) : this.#isConcerned(),
    );
  }

  /** What spoke with the address' former pod is not established with this one. */
  async #forgetFlows(address: string): Promise<void> {
    const family = address.includes(":") ? "ipv6" : "ipv4";
    for (const end of ["--orig-src", "--reply-src"])
      await attempt(this.#options.command("conntrack", ["-D", "-f", family, end, address]));
  }

  async #apply(): Promise<void> {
    if (!this.#wanted) return;
    const { policies, podCIDRs } = this.#wanted;
    const { podOf } = policies;
    const [rules, peers] = [policies.rules(), policies.peers()];
    const pods = [...this.#options.opened()].map(([address, namespace]) => ({
      address,
      pod: podOf(namespace) ?? this.#pods.get(namespace),
    }));
    const input = { rules, peers, pods, podCIDRs, own: this.#options.own };
    for (const { family, table, sets } of this.#tables) await table.apply(policyRuleset({ ...input, family }, sets));
  }

  async verify(): Promise<void> {
    for (const { table } of this.#tables) await table.verify();
  }

  async remove(): Promise<void> {
    for (const { table } of this.#tables) await table.remove();
  }
}
