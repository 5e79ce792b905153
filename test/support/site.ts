/** A home: a network behind a NAT that lets nothing in that was not asked for, on a network that plays the internet. */
import { run } from "../../agent/process.ts";
import type { Lan } from "./machine.ts";
import { checked } from "./programs.ts";

/** The NAT keeps ports' numbers where it can, as most do, and lets in answers only. */
const NAT = `
table ip nat {
  chain postrouting { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
  chain input { type filter hook input priority filter; iifname "wan" ct state new drop; }
  chain forward { type filter hook forward priority filter; iifname "wan" ct state new drop; }
}`;
const BLOCKED = `
table ip blocked {
  chain forward { type filter hook forward priority filter - 1; meta l4proto udp drop; }
}`;

export type Site = Lan & {
  /** What outsiders see its machines as. */
  outside: string;
  /** Lets no UDP through in either direction, or again. */
  blockUdp(blocked: boolean): Promise<void>;
};

/** All sites have the same addresses inside, as homes do. */
export async function makeSite(name: string, internet: Lan, n: number): Promise<Site> {
  const space = `sktest-${process.pid}-${name}`;
  const cable = `skn${process.pid % 10_000}${name.slice(-6)}`.slice(0, 15);
  const [inside, outside] = ["192.168.77", internet.address(n)];
  const within = (...args: string[]) => checked("ip", ["-n", space, ...args]);
  await checked("ip", ["netns", "add", space]);
  await within("link", "set", "lo", "up");
  await within("link", "add", "br0", "type", "bridge");
  await within("link", "set", "br0", "up");
  await within("address", "add", `${inside}.1/24`, "dev", "br0");
  await checked("ip", [
    "-n",
    internet.switch,
    "link",
    "add",
    cable,
    "type",
    "veth",
    "peer",
    "name",
    "wan",
    "netns",
    space,
  ]);
  await checked("ip", ["-n", internet.switch, "link", "set", cable, "master", "br0", "up"]);
  await within("address", "add", `${outside}/24`, "dev", "wan");
  await within("link", "set", "wan", "up");
  const enter = (program: string, args: readonly string[], input?: string) =>
    run("nsenter", [`--net=/var/run/netns/${space}`, program, ...args], { input, timeoutMs: 300_000 });
  const must = async (program: string, args: readonly string[], input?: string) => {
    const { code, stderr } = await enter(program, args, input);
    if (code !== 0) throw new Error(`${program} in ${space}: ${stderr}`);
  };
  await must("sh", ["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
  await must("nft", ["-f", "-"], NAT);
  return {
    switch: space,
    host: `${inside}.1`,
    outside,
    address: (k) => `${inside}.${k}`,
    ipv6: (k) => `fd77::${k}`,
    blockUdp: (blocked) =>
      blocked ? must("nft", ["-f", "-"], BLOCKED) : must("nft", ["delete", "table", "ip", "blocked"]),
    remove: async () => {
      await run("ip", ["-n", internet.switch, "link", "delete", cable]);
      await run("ip", ["netns", "delete", space]);
    },
  };
}
