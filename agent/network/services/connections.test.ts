import { beforeEach, describe, expect, test } from "vitest";
import { IPV4, IPV6 } from "../family.ts";
import type { EndpointSlice, Service } from "../types.ts";
import { ConnectionCounts } from "./connections.ts";
import { COUNTED_S, MOST_COUNTED } from "./skeleton.ts";

const service: Service = {
  metadata: { namespace: "shop", name: "web" },
  spec: { type: "NodePort", clusterIP: "10.96.0.7", ports: [{ protocol: "TCP", port: 80, nodePort: 30080 }] },
};
const slice: EndpointSlice = {
  metadata: { namespace: "shop", name: "web-x", labels: { "kubernetes.io/service-name": "web" } },
  addressType: "IPv4",
  ports: [{ protocol: "TCP", port: 8080 }],
  endpoints: [{ addresses: ["10.244.0.5"], conditions: { ready: true } }],
};
const known = { services: [service], slices: [slice], keepers: ["10.244.0.1:4000"] };

/** What the kernel has, as its programs print it. */
let begun: [string, string | number, number, count: number, idleS: number][];
let ended: typeof begun;
let flows: string[];
let now: number;
let counts: ConnectionCounts;

const printed = (elements: typeof begun) =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6" } },
      {
        set: {
          name: "x",
          ...(elements.length > 0 && {
            elem: elements.map(([address, protocol, port, packets, idleS]) => ({
              elem: {
                val: { concat: [address, protocol, port] },
                timeout: COUNTED_S,
                expires: COUNTED_S - idleS - 1,
                counter: { packets, bytes: 60 * packets },
              },
            })),
          }),
        },
      },
    ],
  });

const command = async (program: string, args: readonly string[]) => {
  if (program === "conntrack") return flows.join("\n");
  return printed(args.at(-1) === "begun" ? begun : ended);
};

beforeEach(() => {
  [begun, ended, flows, now] = [[], [], [], 100_000];
  counts = new ConnectionCounts(command, { family: IPV4, table: "t" }, () => now);
});

const flow = (state: string, asked: string, port: number, at: string, atPort: number) =>
  `tcp      6 431999 ${state} src=10.244.0.3 dst=${asked} sport=51000 dport=${port} src=${at} dst=10.244.0.3 sport=${atPort} dport=51000 [ASSURED] mark=0 use=1`;

describe("a Service's connections", () => {
  test("are counted at its address and at every node's port", async () => {
    begun = [
      ["10.96.0.7", "tcp", 80, 20, 9],
      ["192.168.1.2", "tcp", 30080, 10, 4],
      ["10.96.0.8", "tcp", 80, 5, 0],
      ["10.96.0.7", "udp", 80, 5, 0],
    ];
    const { countedMs, services } = await counts.figures(90_000, known);
    expect(countedMs).toBe(10_000);
    expect(services).toEqual({ "shop/web": { perSecond: 3, pending: 0, idleMs: 4_000 } });
  });

  test("are counted where the machine names no protocols", async () => {
    begun = [
      ["10.96.0.7", 6, 80, 20, 9],
      ["10.96.0.7", 17, 80, 5, 0],
    ];
    const { services } = await counts.figures(90_000, known);
    expect(services).toEqual({ "shop/web": { perSecond: 2, pending: 0, idleMs: 9_000 } });
  });

  test("end when their last one says so", async () => {
    begun = [["10.96.0.7", "tcp", 80, 1, 100]];
    ended = [["10.96.0.7", "tcp", 80, 0, 2]];
    expect((await counts.figures(0, known)).services["shop/web"]?.idleMs).toBe(2_000);
  });

  test("are open while the kernel knows them and their endpoint is there, or holds them", async () => {
    flows = [
      flow("ESTABLISHED", "10.96.0.7", 80, "10.244.0.5", 8080),
      flow("ESTABLISHED", "192.168.1.2", 30080, "10.244.0.5", 8080),
      flow("SYN_SENT", "10.96.0.7", 80, "10.244.0.1", 4000),
      flow("ESTABLISHED", "10.96.0.7", 80, "10.244.0.99", 8080),
      flow("TIME_WAIT", "10.96.0.7", 80, "10.244.0.5", 8080),
      flow("ESTABLISHED", "10.96.0.8", 80, "10.244.0.5", 8080),
      "udp      17 29 src=10.244.0.3 dst=10.96.0.10 sport=4 dport=53 [UNREPLIED] src=10.244.0.1 dst=10.244.0.3 sport=53 dport=4 mark=0 use=1",
      "",
    ];
    expect((await counts.figures(0, known)).services["shop/web"]?.pending).toBe(3);
  });

  test("of IPv6 are known by their addresses, however these were written", async () => {
    counts = new ConnectionCounts(command, { family: IPV6, table: "t" }, () => now);
    begun = [["fd00:96::7", "tcp", 80, 20, 9]];
    flows = [flow("ESTABLISHED", "fd00:96::7", 80, "fd00:244::5", 8080)];
    const services = [{ ...service, spec: { ...service.spec, clusterIPs: ["FD00:96:0::7"] } }];
    const slices = [{ ...slice, endpoints: [{ addresses: ["FD00:244::0005"] }] }];
    const figures = await counts.figures(90_000, { services, slices, keepers: [] });
    expect(figures.services["shop/web"]).toMatchObject({ perSecond: 2, pending: 1 });
  });

  test("have a rate of the last half a minute, or since it was last asked", async () => {
    const rate = async (afterMs: number, count: number) => {
      now += afterMs;
      begun = [["10.96.0.7", "tcp", 80, count, 0]];
      return (await counts.figures(0, known)).services["shop/web"]?.perSecond;
    };
    expect(await rate(0, 50)).toBe(0.5); // over 100 s
    expect(await rate(15_000, 80)).toBeCloseTo(80 / 115);
    expect(await rate(15_000, 110)).toBe(2);
    expect(await rate(15_000, 110)).toBe(1);
    expect(await rate(100_000, 210)).toBe(1);
    // A table that is made anew begins at nothing.
    now += 10_000;
    begun = [["10.96.0.7", "tcp", 80, 20, 0]];
    expect((await counts.figures(now - 10_000, known)).services["shop/web"]?.perSecond).toBe(2);
  });
});

test("where no more can be counted, nothing is told", async () => {
  begun = Array.from({ length: MOST_COUNTED }, (_, i) => ["192.0.2.1", "udp", i, 1, 0]);
  await expect(counts.figures(0, known)).rejects.toThrow("can be counted");
});

test("what cannot be read is not told as nothing", async () => {
  const command = () => Promise.reject(new Error("no such table"));
  counts = new ConnectionCounts(command, { family: IPV4, table: "t" }, () => now);
  await expect(counts.figures(0, known)).rejects.toThrow("no such table");
});
