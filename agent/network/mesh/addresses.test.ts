import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { NetworkInterfaceInfo } from "node:os";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownNetworks } from "./addresses.ts";

test("networks that are shared are those of Ethernet devices, whatever tunnels are called", () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-devices-"));
  const at = (n: number): NetworkInterfaceInfo[] => {
    const address = `192.168.${n}.1`;
    return [{ address, cidr: `${address}/24`, netmask: "255.255.255.0", mac: "", internal: false, family: "IPv4" }];
  };
  const device = (name: string, type: string, others: readonly string[] = []) => {
    mkdirSync(join(folder, name));
    for (const file of ["type", ...others]) writeFileSync(join(folder, name, file), `${type}\n`);
  };
  device("enp1s0", "1");
  device("office", "65534"); // WireGuard's
  device("ppp0", "512");
  device("ztabcdefgh", "1", ["tun_flags"]);
  device("docker0", "1");
  const names = ["enp1s0", "office", "ppp0", "ztabcdefgh", "docker0", "untold"];
  const networks = ownNetworks(Object.fromEntries(names.map((name, n) => [name, at(n)])), folder);
  rmSync(folder, { recursive: true });
  expect(names.filter((_, n) => networks.check(`192.168.${n}.7`))).toEqual(["enp1s0", "untold"]);
});
