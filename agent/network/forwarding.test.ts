import { beforeEach, expect, test } from "vitest";
import { Forwarding } from "./forwarding.ts";

/** What the firewall drops by itself, and its rules. */
let dropping: string[];
let rules: string[];
let forwarding: Forwarding;

beforeEach(() => {
  [dropping, rules] = [["INPUT", "FORWARD"], []];
  const command = async (_: string, [, what, chain = "", ...rule]: readonly string[]) => {
    const line = `-A ${chain} ${rule.join(" ")}`;
    if (what === "-S") return [`-P ${chain} ${dropping.includes(chain) ? "DROP" : "ACCEPT"}`, ...rules].join("\n");
    if (what === "-C" && !rules.includes(line)) throw new Error("no such rule");
    if (what === "-I") rules.push(line);
    if (what === "-D") rules = rules.filter((one) => one !== line);
    return "";
  };
  forwarding = new Forwarding({ command, program: "iptables", podCIDR: "10.244.0.0/24", owner: "ours" });
});

test("a firewall that drops what it does not know lets in pods, what is held, and other nodes' tunnels", async () => {
  await forwarding.admit([5000]);
  await forwarding.ensure();
  const accept = "-m comment --comment ours -j ACCEPT";
  expect(rules.filter((rule) => rule.startsWith("-A INPUT"))).toEqual([
    `-A INPUT -s 10.244.0.0/24 ${accept}`,
    `-A INPUT -d 10.244.0.0/24 -m conntrack --ctstate DNAT ${accept}`,
    `-A INPUT -p udp -m udp --dport 5000 ${accept}`,
  ]);
  rules.push("-A INPUT -p tcp --dport 22 -j ACCEPT");
  await forwarding.remove();
  expect(rules).toEqual(["-A INPUT -p tcp --dport 22 -j ACCEPT"]);
});

test("one that drops nothing is left as it is", async () => {
  dropping = [];
  await forwarding.ensure();
  expect(rules).toEqual([]);
});
