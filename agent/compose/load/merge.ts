/** https://github.com/compose-spec/compose-spec/blob/main/13-merge.md */
import { type ListNode, type MapNode, map, type Node, scalar } from "../tree.ts";

type Path = readonly string[];

/** By the name of a service's attribute: lists of `NAME=VALUE` that may be mappings as well. */
const ASSIGNMENTS = ["environment", "labels", "annotations", "sysctls", "extra_hosts", "args", "driver_opts"];
/** Replaced, never appended to. */
const WHOLE = ["command", "entrypoint", "test"];
/** What is the same in two entries of a list; the later one counts. */
const IDENTITIES: Record<string, (entry: Node) => string | undefined> = {
  ports: (entry) =>
    entry.kind === "map"
      ? ["host_ip", "published", "target", "protocol"].map((name) => textOf(entry.entries.get(name))).join()
      : textOf(entry),
  volumes: (entry) => (entry.kind === "map" ? textOf(entry.entries.get("target")) : targetOf(textOf(entry) ?? "")),
  secrets: fileTarget,
  configs: fileTarget,
};

const textOf = (node: Node | undefined) => (node?.kind === "scalar" ? node.text : undefined);
const targetOf = (short: string) => {
  const parts = short.split(":");
  return parts.length === 1 ? parts[0] : parts[1];
};
function fileTarget(entry: Node): string | undefined {
  if (entry.kind !== "map") return textOf(entry);
  return textOf(entry.entries.get("target")) ?? textOf(entry.entries.get("source"));
}

/** What `over` says on top of what `base` says; undefined where it says to forget it. */
export function merge(base: Node | undefined, over: Node, path: Path = []): Node | undefined {
  if (over.tag === "reset") return undefined;
  if (!base || over.tag === "override") return withoutResets(over);
  if (base.kind === "map" && over.kind === "map") {
    const entries = new Map(base.entries);
    for (const [name, node] of over.entries) {
      const merged = merge(entries.get(name), node, [...path, name]);
      if (merged) entries.set(name, merged);
      else entries.delete(name);
    }
    return { ...over, entries };
  }
  if (base.kind === "list" && over.kind === "list") return mergeLists(base, over, path);
  // `depends_on:` with nothing after it changes nothing.
  return over.kind === "scalar" && over.value === null && base.kind !== "scalar" ? base : over;
}

function mergeLists(base: ListNode, over: ListNode, path: Path): ListNode {
  const name = path.at(-1) ?? "";
  if (WHOLE.includes(name)) return over;
  const identity = IDENTITIES[name] ?? textOf;
  const overridden = new Set(over.items.map(identity).filter((text) => text !== undefined));
  const kept = base.items.filter((item) => !overridden.has(identity(item) ?? ""));
  return { ...over, items: [...kept, ...over.items] };
}

function withoutResets(node: Node): Node {
  if (node.kind === "list")
    return { ...node, items: node.items.filter((item) => item.tag !== "reset").map(withoutResets) };
  if (node.kind !== "map") return node;
  const kept = [...node.entries].filter(([, entry]) => entry.tag !== "reset");
  return { ...node, entries: new Map(kept.map(([name, entry]) => [name, withoutResets(entry)])) };
}

/** A service, or another part of a project, in its one form: what may be a list or a mapping is a mapping. */
export function normalized(service: MapNode): MapNode {
  const entries = [...service.entries].map(([name, node]): [string, Node] => {
    if (name === "deploy" && node.kind === "map") return [name, normalized(node)];
    if (node.kind !== "list") return [name, node];
    if (ASSIGNMENTS.includes(name)) return [name, assignments(node, name === "extra_hosts")];
    if (name === "networks") return [name, named(node, (item) => scalar(item.at, null))];
    if (name === "depends_on")
      return [name, named(node, (item) => map(item.at, [["condition", scalar(item.at, "service_started")]]))];
    return [name, node];
  });
  return { ...service, entries: new Map(entries) };
}

/** `NAME=VALUE`s; without a `=` there is no value. Hosts may have a colon instead, and several addresses. */
function assignments(list: ListNode, areHosts: boolean): Node {
  const entries = new Map<string, Node>();
  for (const item of list.items) {
    const text = textOf(item) ?? "";
    const [, name = text, value] = (areHosts ? /^([^=:]+)[=:](.*)$/s : /^([^=]+)=(.*)$/s).exec(text) ?? [];
    const told = scalar(item.at, value ?? null);
    const before = entries.get(name);
    const both = areHosts && before ? { kind: "list" as const, at: item.at, items: [before, told] } : told;
    entries.set(name, both);
  }
  return { ...map(list.at, entries), ...(list.tag && { tag: list.tag }) };
}

function named(list: ListNode, value: (item: Node) => Node): Node {
  const entries = list.items.map((item): [string, Node] => [textOf(item) ?? "", value(item)]);
  return { ...map(list.at, entries), ...(list.tag && { tag: list.tag }) };
}
