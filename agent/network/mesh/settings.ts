import type { WebSocket } from "ws";
import { attempt, type Command } from "../commands.ts";
import type { KeyPair } from "./keys.ts";

export type MeshSettings = {
  keys: KeyPair;
  /** Where the private key lies. */
  keyFile: string;
  /** `host:port` of STUN servers. */
  stunServers: readonly string[];
  /** Dials another node's Relay. */
  dial(node: string): WebSocket;
};

/** Whether this machine can have WireGuard: by wireguard-go over a TUN device, or else in its kernel, which only trying tells. */
export async function isUsable(command: Command, device: string): Promise<boolean> {
  const succeeds = (work: Promise<unknown>) =>
    work.then(
      () => true,
      () => false,
    );
  if (!(await succeeds(command("wg", ["--version"])))) return false;
  if (await succeeds(command("sh", ["-c", "command -v wireguard-go && exec 3<>/dev/net/tun"]))) return true;
  if (await succeeds(command("ip", ["link", "show", "dev", device]))) return true;
  const made = await succeeds(command("ip", ["link", "add", device, "type", "wireguard"]));
  if (made) await attempt(command("ip", ["link", "delete", device]));
  return made;
}
