import { expect, test } from "vitest";
import type { PolicyRules } from "../../../worker/protocol/policies.ts";
import { IPV4 } from "../family.ts";
import type { Pod } from "../types.ts";
import { PolicyGuard } from "./guard.ts";

const pod = (name: string): Pod => ({ metadata: { namespace: "a", name, labels: { app: name } } });

function node() {
  const scripts: string[] = [];
  const commands: string[] = [];
  const opened = new Map<string, string>();
  const rules = new Map<string, PolicyRules>();
  const wanted = new Map<string, Pod>();
  let failure: Error | undefined;
  const guard = new PolicyGuard({
    command: async (program, args, input) => {
      if (failure) throw failure;
      if (program === "nft" && input) scripts.push(input);
      else commands.push([program, ...args].join(" "));
      return "";
    },
    table: "t",
    families: [IPV4],
    own: [],
    opened: () => opened,
  });
  const want = () =>
    guard.want({ rules: () => rules, peers: () => new Map(), podOf: (name) => wanted.get(name) }, ["10.0.0.0/24"]);
  const open = async (name: string, address: string) => {
    opened.set(address, name);
    await guard.admit(name, [address], pod(name));
  };
  const fail = (error?: Error) => {
    failure = error;
  };
  return { guard, scripts, commands, opened, rules, wanted, want, open, fail };
}

const isolated: PolicyRules = { podSelector: { matchLabels: { app: "web" } }, egress: [] };

test("without policies a pod's start asks nothing of nft, and what an earlier run left is taken away once", async () => {
  const { guard, scripts, want, open } = node();
  await open("early", "10.0.0.2");
  expect(scripts).toEqual([]);
  want();
  await guard.enforce();
  await guard.enforce();
  await open("web", "10.0.0.3");
  expect(scripts).toEqual(["add table ip t\ndelete table ip t\n"]);
});

test("what selects a pod is in the kernel when it is let start, and nobody of its address' past is", async () => {
  const { scripts, commands, want, open, rules } = node();
  rules.set("a/p", isolated);
  want();
  await open("web", "10.0.0.2");
  expect(scripts.join("")).toContain("add element ip t egress { 10.0.0.2 : goto pod-egress/10.0.0.2 }");
  expect(commands).toEqual(["conntrack -D -f ipv4 --orig-src 10.0.0.2", "conntrack -D -f ipv4 --reply-src 10.0.0.2"]);
});

test("many that start at once are brought in together", async () => {
  const { scripts, want, open, rules } = node();
  rules.set("a/p", { podSelector: {}, egress: [] });
  want();
  await Promise.all(["10.0.0.2", "10.0.0.3", "10.0.0.4"].map((address, i) => open(`p${i}`, address)));
  expect(scripts).toHaveLength(1);
});

test("a pod whose policies cannot be brought into force does not start", async () => {
  const { want, open, rules, fail, scripts } = node();
  rules.set("a/p", isolated);
  want();
  fail(new Error("nft ended with 1"));
  await expect(open("web", "10.0.0.2")).rejects.toThrow("nft ended with 1");
  fail();
  await open("web", "10.0.0.2");
  expect(scripts).toHaveLength(1);
});

test("a pod that is no longer wanted is held to what selects it until its namespace is gone", async () => {
  const { guard, scripts, want, open, rules, opened, wanted } = node();
  rules.set("a/p", isolated);
  wanted.set("web", pod("web"));
  want();
  await open("web", "10.0.0.2");
  wanted.clear();
  await guard.enforce();
  expect(scripts).toHaveLength(1);
  opened.clear();
  expect(guard.closed("web")).toBe(true);
  await guard.enforce();
  expect(scripts.at(-1)).toBe("add table ip t\ndelete table ip t\n");
  expect(guard.closed("web")).toBe(true);
  rules.clear();
  expect(guard.closed("web")).toBe(false);
});
