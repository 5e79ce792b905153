import { type Answer, decode, encode, type Packet } from "dns-packet";
import { describe, expect, test } from "vitest";
import type { EndpointSlice, Service } from "../types.ts";
import { answer } from "./answer.ts";
import { Records } from "./records.ts";
import { lifetimeMs, type Transport, type Upstream } from "./upstream.ts";

const many: EndpointSlice = {
  metadata: { namespace: "shop", name: "big-x", labels: { "kubernetes.io/service-name": "big" } },
  addressType: "IPv4",
  ports: [],
  endpoints: Array.from({ length: 60 }, (_, i) => ({ addresses: [`10.244.0.${i + 2}`], conditions: { ready: true } })),
};
const services: Service[] = [
  { metadata: { namespace: "shop", name: "web" }, spec: { clusterIP: "10.96.0.7" } },
  { metadata: { namespace: "shop", name: "big" }, spec: { clusterIP: "None" } },
  { metadata: { namespace: "shop", name: "out" }, spec: { type: "ExternalName", externalName: "example.com" } },
];
const records = new Records("cluster.local");
records.update(services, [many]);

const outside = encode({
  type: "response",
  id: 0,
  questions: [{ type: "A", name: "example.com" }],
  answers: [{ type: "A", name: "example.com", ttl: 60, data: "192.0.2.80" }],
});
const upstream = (reply: Buffer | undefined) => ({ ask: async () => reply }) as unknown as Upstream;

async function ask(
  name: string,
  options: { transport?: Transport; edns?: number; up?: Buffer | undefined; type?: "A" } = {},
) {
  const additionals = options.edns ? [{ type: "OPT", name: ".", udpPayloadSize: options.edns } as Answer] : [];
  const query = encode({ type: "query", id: 7, flags: 0x100, questions: [{ type: "A", name }], additionals });
  const bytes = await answer(query, options.transport ?? "udp", {
    records,
    upstream: upstream(options.up),
    random: () => 0.4,
  });
  if (!bytes) throw new Error("no answer");
  return { bytes, packet: decode(bytes) as unknown as Packet & { rcode: string; flag_aa: boolean; flag_tc: boolean } };
}

describe("an answer", () => {
  test("of the cluster is authoritative and short-lived", async () => {
    const { packet } = await ask("web.shop.svc.cluster.local");
    expect(packet).toMatchObject({ id: 7, rcode: "NOERROR", flag_aa: true, flag_rd: true, flag_ra: true });
    expect(packet.answers).toMatchObject([
      { type: "A", name: "web.shop.svc.cluster.local", ttl: 5, data: "10.96.0.7" },
    ]);
  });

  test("about no such name bears the zone's SOA", async () => {
    const { packet } = await ask("no.shop.svc.cluster.local");
    expect(packet.rcode).toBe("NXDOMAIN");
    expect(packet.authorities).toMatchObject([{ type: "SOA", name: "cluster.local" }]);
  });

  test("too large for UDP is cut, unless the client takes more, or asks by TCP", async () => {
    const cut = await ask("big.shop.svc.cluster.local");
    expect(cut.packet).toMatchObject({ flag_tc: true, answers: [] });
    expect(cut.bytes.length).toBeLessThanOrEqual(512);
    const whole = await ask("big.shop.svc.cluster.local", { transport: "tcp" });
    expect(whole.packet.answers).toHaveLength(60);
    const larger = await ask("web.shop.svc.cluster.local", { edns: 4096 });
    expect(larger.packet.additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232 }]);
  });

  test("from elsewhere is passed on, or says that it could not be had", async () => {
    expect((await ask("example.com", { up: outside })).bytes).toBe(outside);
    expect((await ask("example.com")).packet).toMatchObject({ id: 7, rcode: "SERVFAIL" });
  });

  test("of an alias out of the cluster has both parts", async () => {
    const { packet } = await ask("out.shop.svc.cluster.local", { up: outside });
    expect(packet.answers).toMatchObject([
      { type: "CNAME", data: "example.com" },
      { type: "A", name: "example.com", data: "192.0.2.80" },
    ]);
  });

  test("to nonsense is an error or silence, never a throw", async () => {
    const context = { records, upstream: upstream(undefined), random: () => 0 };
    expect(await answer(Buffer.from("short"), "udp", context)).toBeUndefined();
    expect(await answer(outside, "udp", context)).toBeUndefined();
    const broken = Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, 1, 2]);
    expect(decode((await answer(broken, "udp", context)) as Buffer)).toMatchObject({ id: 9, rcode: "FORMERR" });
    const update = encode({ type: "query", id: 3, flags: 5 << 11, questions: [{ type: "A", name: "a.b" }] });
    expect(decode((await answer(update, "udp", context)) as Buffer)).toMatchObject({ id: 3, rcode: "NOTIMP" });
  });
});

test("answers of the node's resolvers are kept for their lifetime, at most ten seconds, failures not at all", () => {
  const withTtl = (ttl: number, flags = 0) =>
    encode({ type: "response", id: 1, flags, answers: [{ type: "A", name: "a.b", ttl, data: "192.0.2.1" }] });
  expect(lifetimeMs(withTtl(3))).toBe(3000);
  expect(lifetimeMs(withTtl(300))).toBe(10_000);
  expect(lifetimeMs(withTtl(300, 2))).toBe(0);
  expect(lifetimeMs(withTtl(300, 0x200))).toBe(0);
});
