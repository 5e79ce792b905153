/** What a mesh has the machine's programs do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { effects } from "../../effects.ts";
import type { Node } from "../types.ts";
import { keysIn } from "./keys.ts";
import { Mesh } from "./mesh.ts";

const folder = mkdtempSync(join(tmpdir(), "skerry-mesh-"));
const KEY = keysIn(join(folder, "one")).publicKey;
const OTHER_KEY = keysIn(join(folder, "two")).publicKey;
let mesh: Mesh;

afterEach(async () => {
  await mesh.stop();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** WireGuard of a machine: peers by key, with their pods' addresses. */
function machine() {
  const state = { canHave: true, isThere: false, peers: new Map<string, string>(), said: [] as string[] };
  const command = async (program: string, args: readonly string[]) => {
    const text = [program, ...args].join(" ");
    if (/^ip link show|^wg set/.test(text) && !state.isThere) throw new Error("Cannot find device");
    if (/^ip link add/.test(text)) {
      if (!state.canHave) throw new Error("Operation not supported");
      state.isThere = true;
    }
    const [, key = "", what, podCIDR = ""] = /^wg set \S+ peer (\S+) (allowed-ips|remove) ?(\S*)/.exec(text) ?? [];
    if (what === "remove") state.peers.delete(key);
    if (what === "allowed-ips") state.peers.set(key, podCIDR);
    return program === "ip" && args[0] === "-j" ? "[]" : "";
  };
  mesh = new Mesh({
    keys: keysIn(join(folder, "own")),
    keyFile: join(folder, "own"),
    stunServers: [],
    dial: () => new WebSocket("ws://127.0.0.1:1"),
    nodeName: "a",
    device: "sw-test",
    port: 20_000,
    checksPort: 0,
    command,
    effects,
    log: (message) => state.said.push(message),
    onChange: () => {},
    onGone: () => {},
  });
  return state;
}

const node = (name: string, podCIDR: string, key: string): Node => ({
  metadata: {
    name,
    annotations: { "skerry.dev/wireguard-public-key": key, "skerry.dev/wireguard-port": "20000" },
  },
  spec: { podCIDR },
  status: { addresses: [{ type: "InternalIP", address: "198.51.100.1" }] },
});

const B = node("b", "10.244.1.0/24", KEY);
const C = node("c", "10.244.2.0/24", KEY);
const D = node("d", "10.244.3.0/24", OTHER_KEY);

test("of two nodes with one key, the one that stays is reached when the other is gone", async () => {
  const { peers } = machine();
  await mesh.start(["10.244.0.1"], 1500);
  await mesh.sync([C, B, D]);
  expect(peers).toEqual(
    new Map([
      [KEY, "10.244.1.0/24"],
      [OTHER_KEY, "10.244.3.0/24"],
    ]),
  );
  await mesh.sync([C, D]);
  expect(peers.get(KEY)).toBe("10.244.2.0/24");
  await mesh.sync([C]);
  expect(peers).toEqual(new Map([[KEY, "10.244.2.0/24"]]));
});

test("a tunnel that cannot be made is told of once, and made when it can be", async () => {
  const state = machine();
  state.canHave = false;
  await mesh.start(["10.244.0.1"], 1500);
  await mesh.sync([B, D]);
  for (let times = 0; times < 2; times++) await mesh.verify();
  expect(state.said).toEqual(["network: Operation not supported"]);
  state.canHave = true;
  await mesh.verify();
  expect([...state.peers.values()].toSorted()).toEqual(["10.244.1.0/24", "10.244.3.0/24"]);
});

test("a tunnel that is lost comes back with all that it led to, also when that fails at first", async () => {
  const state = machine();
  await mesh.start(["10.244.0.1"], 1500);
  await mesh.sync([B, D]);
  Object.assign(state, { isThere: false, canHave: false });
  state.peers.clear();
  await mesh.verify();
  expect(state.peers.size).toBe(0);
  state.canHave = true;
  await mesh.verify();
  expect([...state.peers.values()].toSorted()).toEqual(["10.244.1.0/24", "10.244.3.0/24"]);
});
