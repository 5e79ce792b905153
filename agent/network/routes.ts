import { networkInterfaces } from "node:os";
import { errorText } from "../../worker/lib/error-text.ts";
import { attempt, type Command } from "./commands.ts";
import { familyOf, rangeOf } from "./family.ts";
import type { Identity } from "./identity.ts";
import { ROUTE_PROTOCOL } from "./pod-network.ts";
import type { Node } from "./types.ts";

/**
 * Pod addresses of another node, and the node's own address that leads there, by a network that both are on, if it has
 * one of the family; or the interface of a tunnel that does.
 */
export type Route = { to: string; via?: string; tunnel?: string };

/** Routes to the pods of all other nodes that have addresses for them. `tunnelTo` tells which nodes need one. */
export function wantedRoutes(
  nodes: readonly Node[],
  nodeName: string,
  tunnelTo: (node: string) => string | undefined = () => undefined,
): Route[] {
  return nodes.flatMap(({ metadata, spec, status }) => {
    const name = metadata?.name ?? "";
    const own = (status?.addresses ?? []).flatMap(({ type, address = "" }) => (type === "InternalIP" ? address : []));
    if (name === nodeName || own.length === 0) return [];
    const tunnel = tunnelTo(name);
    return podCIDRsOf(spec).map((to): Route => {
      const [via] = own.flatMap((address) => familyOf(to).canonical(address) ?? []);
      return { to, ...(via && { via }), ...(tunnel && { tunnel }) };
    });
  });
}

/** By Node's spec: a cluster has thousands, and each is asked for with every change. */
const RANGES = new WeakMap<object, readonly string[]>();

/** A node's ranges of pods, one a family, as the kernel prints them, however they are written in the Node. */
export function podCIDRsOf(spec: Node["spec"] = {}): readonly string[] {
  const known = RANGES.get(spec);
  if (known) return known;
  const written = spec.podCIDRs?.length ? spec.podCIDRs : [spec.podCIDR ?? ""];
  const ranges = written.flatMap((range) => rangeOf(familyOf(range), range) ?? []);
  RANGES.set(spec, ranges);
  return ranges;
}

type KernelRoute = { dst?: string; gateway?: string; dev?: string; metric?: number };

/** Keeps the kernel's routes to other nodes' pods. */
export class NodeRoutes {
  readonly #command: Command;
  readonly #identity: Identity;
  /** Via or tunnel by destination, as last set. */
  #set = new Map<string, string>();
  readonly #log: (message: string) => void;
  /** Why a destination is not reached, as last said. */
  #said = new Map<string, string>();
  /** Nodes' addresses that no shared network leads to, or whose route could not be set. */
  unreachable: readonly Route[] = [];
  /** A route could not be set when they were last applied. */
  hasFailed = false;

  constructor(command: Command, identity: Identity, log: (message: string) => void = () => {}) {
    this.#command = command;
    this.#identity = identity;
    this.#log = log;
  }

  /** Takes over the routes that an earlier run left. */
  async load(): Promise<void> {
    const show = (family: string) => this.#command("ip", ["-j", family, "route", "show", "proto", ROUTE_PROTOCOL]);
    const texts = [await show("-4"), await show("-6").catch(() => "")]; // which a kernel may lack
    const routes = texts.flatMap((text) => JSON.parse(text || "[]") as KernelRoute[]);
    const { metric, tunnel } = this.#identity;
    this.#set = new Map(
      routes.flatMap(({ dst, gateway, dev, ...route }) => {
        const way = gateway ?? (dev === tunnel ? dev : undefined);
        return route.metric === metric && dst && way ? [[dst, way] as const] : [];
      }),
    );
  }

  /** One that cannot be set keeps no other from it. */
  async apply(wanted: readonly Route[]): Promise<void> {
    const unreachable: Route[] = [];
    const keep = new Set<string>();
    const said = new Map<string, string>();
    this.hasFailed = false;
    for (const route of wanted) {
      const failed = (error: unknown) => {
        this.hasFailed = true;
        return errorText(error);
      };
      const way = route.tunnel ?? route.via;
      const isSet = way !== undefined && this.#set.get(route.to) === way;
      const problem = isSet ? undefined : await this.#add(route).catch(failed);
      if (problem === undefined) keep.add(route.to);
      else {
        unreachable.push(route);
        said.set(route.to, problem);
      }
    }
    for (const [to, text] of said) if (this.#said.get(to) !== text) this.#log(`network: ${text}`);
    this.#said = said;
    for (const to of [...this.#set.keys()]) if (!keep.has(to)) await this.#delete(to);
    this.unreachable = unreachable;
  }

  async remove(): Promise<void> {
    for (const to of [...this.#set.keys()]) await this.#delete(to);
  }

  /** Resolves to why there is none, where that is no failure. */
  async #add({ to, via, tunnel }: Route): Promise<string | undefined> {
    if (tunnel) {
      await this.#command("ip", ["route", "replace", to, "dev", tunnel, ...this.#mine()]);
      this.#set.set(to, tunnel);
      return undefined;
    }
    if (!via) return `pods of ${to} are not reached: their node has no address of ${familyOf(to).name} on its network`;
    const device = await directDevice(this.#command, via);
    if (!device) return `pods of ${to} are not reached: their node's ${via} is on no network of this one`;
    await this.#command("ip", ["route", "replace", to, "via", via, "dev", device, ...this.#mine()]);
    this.#set.set(to, via);
    return undefined;
  }

  async #delete(to: string): Promise<void> {
    await attempt(this.#command("ip", ["route", "delete", to, ...this.#mine()]));
    this.#set.delete(to);
  }

  #mine(): string[] {
    return ["proto", ROUTE_PROTOCOL, "metric", `${this.#identity.metric}`];
  }
}

/** Whether an address is this machine's. */
export const isOurs = (address: string): boolean =>
  Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address === address));

/** The interface on whose network `address` is, or undefined when a router lies between or it is our own. */
export async function directDevice(command: Command, address: string): Promise<string | undefined> {
  const text = await command("ip", ["-j", address.includes(":") ? "-6" : "-4", "route", "get", address]).catch(
    () => "[]",
  );
  const [route] = JSON.parse(text) as { dev?: string; gateway?: string; type?: string }[];
  return route && !route.gateway && route.type !== "local" && route.dev !== "lo" ? route.dev : undefined;
}
