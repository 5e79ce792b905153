import { expect, test } from "vitest";
import type { MeshReport } from "../network/mesh/report.ts";
import { shown } from "./net-doctor.ts";

const report: MeshReport = {
  wireguard: "kernel",
  publicKey: "WFpnol8KhgC4WrX1qZkPpFWrsmhA9LlM6obWKlAy+yg=",
  port: 20_123,
  stunServers: ["stun.example.com:3478"],
  seen: ["198.51.100.11:20123"],
  peers: [
    { node: "near", path: "lan", endpoint: "192.168.1.3:20001", isRelayOpen: false, roundTripMs: 1 },
    {
      node: "far-away",
      path: "direct",
      endpoint: "198.51.100.12:20002",
      isRelayOpen: false,
      roundTripMs: 31,
      sentBytes: 2_621_440,
      receivedBytes: 0,
    },
  ],
};

test("the ways to all others are told in a table", () => {
  expect(shown(report)).toBe(`wireguard:   kernel
public key:  WFpnol8KhgC4WrX1qZkPpFWrsmhA9LlM6obWKlAy+yg=
port:        20123/udp
outside:     198.51.100.11:20123

NODE      WAY            AT                   ROUND TRIP  SENT     RECEIVED
near      local network  192.168.1.3:20001    1 ms        -        -
far-away  direct         198.51.100.12:20002  31 ms       2.5 MiB  0 B
`);
});

test("what keeps nodes from each other is told", () => {
  const relayed: MeshReport["peers"] = [{ node: "far-away", path: "relay", endpoint: "", isRelayOpen: true }];
  const blocked = shown({ ...report, seen: [], peers: relayed });
  expect(blocked).toContain("outside:     not known: no answer from stun.example.com:3478\n");
  expect(blocked).toContain("UDP does not seem to get out");
  expect(shown({ ...report, seen: ["198.51.100.11:1", "198.51.100.11:2"] })).toContain("another port");
  expect(shown({ ...report, seen: ["198.51.100.11:1"] })).toContain("the NAT changes the port");
  expect(shown({ ...report, peers: relayed })).toContain("no UDP gets through");
  expect(shown({ ...report, peers: [] })).toContain("no other nodes");
});
