import { describe, expect, test } from "vitest";
import { EMPTY, type Ruleset, renderDiff } from "./ruleset.ts";

const ruleset = (parts: {
  chains?: Record<string, string[]>;
  sets?: Record<string, string>;
  elements?: Record<string, Record<string, string>>;
}): Ruleset => ({
  chains: new Map(Object.entries(parts.chains ?? {})),
  sets: new Map(Object.entries(parts.sets ?? {})),
  elements: new Map(
    Object.entries(parts.elements ?? {}).map(([name, items]) => [name, new Map(Object.entries(items))]),
  ),
});

const lines = (text: string) => text.split("\n").filter(Boolean);

describe("renderDiff", () => {
  const web = ruleset({
    chains: { "service/a": ["dnat one"] },
    elements: { cluster_ips: { "10.0.0.1 . tcp . 80": "goto service/a" }, no_endpoints: { "10.0.0.9 . tcp . 80": "" } },
  });

  test("between equal states is empty", () => {
    expect(renderDiff("ip t", web, web)).toBe("");
  });

  test("from nothing adds chains first, elements last", () => {
    expect(lines(renderDiff("ip t", EMPTY, web))).toEqual([
      "add chain ip t service/a",
      "add rule ip t service/a dnat one",
      "add element ip t cluster_ips { 10.0.0.1 . tcp . 80 : goto service/a }",
      "add element ip t no_endpoints { 10.0.0.9 . tcp . 80 }",
    ]);
  });

  test("to nothing removes elements first, chains last", () => {
    expect(lines(renderDiff("ip t", web, EMPTY))).toEqual([
      "delete element ip t cluster_ips { 10.0.0.1 . tcp . 80 }",
      "delete element ip t no_endpoints { 10.0.0.9 . tcp . 80 }",
      "flush chain ip t service/a",
      "delete chain ip t service/a",
    ]);
  });

  test("names only what changed", () => {
    const next = ruleset({
      chains: { "service/a": ["dnat two"], "service/b": ["dnat three"] },
      elements: {
        cluster_ips: { "10.0.0.1 . tcp . 80": "goto service/a", "10.0.0.2 . tcp . 80": "goto service/b" },
        no_endpoints: { "10.0.0.9 . tcp . 80": "" },
      },
    });
    expect(lines(renderDiff("ip t", web, next))).toEqual([
      "add chain ip t service/b",
      "flush chain ip t service/a",
      "add rule ip t service/a dnat two",
      "add rule ip t service/b dnat three",
      "add element ip t cluster_ips { 10.0.0.2 . tcp . 80 : goto service/b }",
    ]);
  });

  test("replaces an element whose value changed", () => {
    const before = ruleset({ elements: { host_ports: { "tcp . 80": "10.0.0.1 . 80" } } });
    const after = ruleset({ elements: { host_ports: { "tcp . 80": "10.0.0.2 . 80" } } });
    expect(lines(renderDiff("ip t", before, after))).toEqual([
      "delete element ip t host_ports { tcp . 80 }",
      "add element ip t host_ports { tcp . 80 : 10.0.0.2 . 80 }",
    ]);
  });

  test("writes rules anew around a set whose definition changed", () => {
    const before = ruleset({ chains: { c: ["ip saddr @s goto x"] }, sets: { s: "timeout 1s;" } });
    const after = ruleset({ chains: { c: ["ip saddr @s goto x"] }, sets: { s: "timeout 2s;" } });
    expect(lines(renderDiff("ip t", before, after))).toEqual([
      "flush chain ip t c",
      "delete set ip t s",
      "add set ip t s { timeout 2s; }",
      "add rule ip t c ip saddr @s goto x",
    ]);
  });
});
