import { expect, test } from "vitest";
import { dropping, type Ruleset } from "./firewall.ts";

const accept = { accept: null };
const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
const by = (key: string, right: unknown, op?: string) => match({ meta: { key } }, right, op);
const OWN = { family: "inet", table: "own" };

function found(hook: string, ...rules: object[][]): string {
  const chain = { ...OWN, name: "guard", hook, policy: "drop" };
  const nftables = [{ chain }, ...rules.map((expr) => ({ rule: { ...OWN, chain: "guard", expr } }))];
  const [one] = dropping({ nftables } as Ruleset);
  return one ? (one.unless ? "perhaps" : "drops") : "passes";
}

test("a chain that lets packets of pods through, as its remedy says, drops them no more", () => {
  const [from, to] = [by("iifname", "veth*"), by("oifname", { set: ["eth0", "veth*"] })];
  expect(found("forward")).toBe("drops");
  expect(found("forward", [from, accept])).toBe("perhaps");
  expect(found("forward", [from, accept], [{ counter: { packets: 0, bytes: 0 } }, to, accept])).toBe("passes");
  expect(found("input", [from, accept])).toBe("passes");
  expect(found("input", [by("iifname", "v*"), accept])).toBe("passes");
  expect(found("input", [by("iifname", "eth0", "!="), accept])).toBe("passes");
  expect(found("input", [accept])).toBe("passes");
  expect(found("prerouting")).toBe("passes");
});

test("rules that say nothing of pods change nothing; of those that may, nothing is said for sure", () => {
  const replies = match({ ct: { key: "state" } }, ["established", "related"], "in");
  expect(found("input", [replies, accept], [by("iif", "lo"), accept], [by("iifname", "veth*"), { drop: null }])).toBe(
    "drops",
  );
  expect(found("input", [by("iifname", "veth*", "!="), accept])).toBe("drops");
  for (const rule of [
    [by("iifname", "@inner"), accept],
    [match({ payload: { protocol: "ip", field: "saddr" } }, "10.0.0.0"), accept],
    [{ jump: { target: "more" } }],
  ])
    expect(found("input", rule)).toBe("perhaps");
});

test("chains of the agent's own tables, and those where it lets pods through itself, are none", () => {
  const chain = { name: "FORWARD", hook: "forward", policy: "drop" };
  const nftables = [
    { chain: { ...chain, family: "ip", table: "filter" } },
    { chain: { ...chain, family: "ip", table: "skerry-1" } },
    { chain: { ...chain, family: "bridge", table: "own" } },
    { chain: { ...chain, family: "inet", table: "filter" } },
  ];
  expect(dropping({ nftables })).toEqual([{ table: "inet filter", chain: "FORWARD", hook: "forward" }]);
});
