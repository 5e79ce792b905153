import { describe, expect, test } from "vitest";
import type { EndpointSlice, Service } from "../types.ts";
import { Records } from "./records.ts";
import { resolve } from "./resolve.ts";

const web: Service = {
  metadata: { namespace: "shop", name: "web" },
  spec: { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7"], ports: [{ name: "http", protocol: "TCP", port: 80 }] },
};
const db: Service = { metadata: { namespace: "shop", name: "db" }, spec: { clusterIP: "None", ports: [] } };
const dbSlice: EndpointSlice = {
  metadata: { namespace: "shop", name: "db-x", labels: { "kubernetes.io/service-name": "db" } },
  addressType: "IPv4",
  ports: [{ name: "sql", protocol: "TCP", port: 5432 }],
  endpoints: [
    { addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } },
    { addresses: ["10.244.1.6"], conditions: { ready: true } },
    { addresses: ["10.244.1.7"], hostname: "db-2", conditions: { ready: false } },
  ],
};
const alias = (name: string, externalName: string): Service => ({
  metadata: { namespace: "shop", name },
  spec: { type: "ExternalName", externalName },
});

function records(services: Service[] = [web, db], slices: EndpointSlice[] = [dbSlice]): Records {
  const made = new Records("cluster.local");
  made.update(services, slices);
  return made;
}

const ask = (name: string, type = "A", from = records()) => {
  const found = resolve({ name, type }, from);
  if (found.kind === "none") return found.exists ? "no data" : "no such name";
  return found.kind === "elsewhere" ? "elsewhere" : found.answers.map(({ data }) => data);
};

describe("a name of the cluster", () => {
  test.each([
    ["web.shop.svc.cluster.local", "A", ["10.96.0.7"]],
    ["WEB.Shop.svc.cluster.local", "A", ["10.96.0.7"]],
    ["web.shop.svc.cluster.local", "AAAA", "no data"],
    ["web.shop.svc.cluster.local", "MX", "no data"],
    ["db.shop.svc.cluster.local", "A", ["10.244.0.5", "10.244.1.6"]],
    ["db-0.db.shop.svc.cluster.local", "A", ["10.244.0.5"]],
    ["10-244-1-6.db.shop.svc.cluster.local", "A", ["10.244.1.6"]],
    ["db-2.db.shop.svc.cluster.local", "A", "no such name"],
    ["nobody.shop.svc.cluster.local", "A", "no such name"],
    ["shop.svc.cluster.local", "A", "no data"],
    ["_tcp.web.shop.svc.cluster.local", "A", "no data"],
    ["cluster.local", "A", "no data"],
    ["web.shop.cluster.local", "A", "no such name"],
    ["10-244-0-5.shop.pod.cluster.local", "A", ["10.244.0.5"]],
    ["10-244-0-5.shop.pod.cluster.local", "AAAA", "no data"],
    ["10-244-0.shop.pod.cluster.local", "A", "no such name"],
    ["dns-version.cluster.local", "TXT", ["1.1.0"]],
    ["7.0.96.10.in-addr.arpa", "PTR", ["web.shop.svc.cluster.local"]],
    ["5.0.244.10.in-addr.arpa", "PTR", ["db-0.db.shop.svc.cluster.local"]],
    ["9.9.9.9.in-addr.arpa", "PTR", "elsewhere"],
    ["example.com", "A", "elsewhere"],
    ["notcluster.local", "A", "elsewhere"],
  ])("%s %s is %j", (name, type, expected) => {
    expect(ask(name, type)).toEqual(expected);
  });

  test("is answered in the letters it was asked in", () => {
    const found = resolve({ name: "wEb.shop.svc.cluster.local", type: "A" }, records());
    expect(found.kind === "found" && found.answers[0]?.name).toBe("wEb.shop.svc.cluster.local");
  });

  const dual: Service = { ...web, spec: { ...web.spec, clusterIPs: ["10.96.0.7", "fd00:96::7"] } };
  const dbSlice6: EndpointSlice = {
    ...dbSlice,
    addressType: "IPv6",
    endpoints: [
      { addresses: ["fd00:244::5"], hostname: "db-0", conditions: { ready: true } },
      { addresses: ["fd00:244::6"], conditions: { ready: true } },
    ],
  };
  test.each([
    ["web.shop.svc.cluster.local", "A", ["10.96.0.7"]],
    ["web.shop.svc.cluster.local", "AAAA", ["fd00:96::7"]],
    ["db.shop.svc.cluster.local", "AAAA", ["fd00:244::5", "fd00:244::6"]],
    ["db-0.db.shop.svc.cluster.local", "A", ["10.244.0.5"]],
    ["db-0.db.shop.svc.cluster.local", "AAAA", ["fd00:244::5"]],
    ["fd00-244--6.db.shop.svc.cluster.local", "AAAA", ["fd00:244::6"]],
    ["fd00-244--5.shop.pod.cluster.local", "AAAA", ["fd00:244::5"]],
    ["fd00-244--5.shop.pod.cluster.local", "A", "no data"],
    [`7.${"0.".repeat(23)}6.9.0.0.0.0.d.f.ip6.arpa`, "PTR", ["web.shop.svc.cluster.local"]],
    [`5.${"0.".repeat(23)}4.4.2.0.0.0.d.f.ip6.arpa`, "PTR", ["db-0.db.shop.svc.cluster.local"]],
    [`9.${"0.".repeat(23)}4.4.2.0.0.0.d.f.ip6.arpa`, "PTR", "elsewhere"],
  ])("in a cluster of two families %s %s is %j", (name, type, expected) => {
    expect(ask(name, type, records([dual, db], [dbSlice, dbSlice6]))).toEqual(expected);
  });
});

describe("SRV", () => {
  test("of a Service names its port and address", () => {
    const found = resolve({ name: "_http._tcp.web.shop.svc.cluster.local", type: "SRV" }, records());
    expect(found).toMatchObject({
      kind: "found",
      answers: [{ type: "SRV", data: { priority: 0, weight: 100, port: 80, target: "web.shop.svc.cluster.local" } }],
      additional: [{ type: "A", name: "web.shop.svc.cluster.local", data: "10.96.0.7" }],
    });
  });

  test("of a headless one names each endpoint", () => {
    const found = resolve({ name: "_sql._tcp.db.shop.svc.cluster.local", type: "SRV" }, records());
    expect(found.kind === "found" && found.answers.map(({ data }) => (data as { target: string }).target)).toEqual([
      "db-0.db.shop.svc.cluster.local",
      "10-244-1-6.db.shop.svc.cluster.local",
    ]);
  });
});

describe("ExternalName", () => {
  const all = records([
    web,
    alias("out", "example.com."),
    alias("in", "web.shop.svc.cluster.local"),
    alias("loop", "loop.shop.svc.cluster.local"),
  ]);

  test("out of the cluster is left to the node's resolvers after the CNAME", () => {
    expect(resolve({ name: "out.shop.svc.cluster.local", type: "A" }, all)).toMatchObject({
      answers: [{ type: "CNAME", data: "example.com" }],
      alias: "example.com",
    });
  });

  test("within the cluster is followed", () => {
    expect(ask("in.shop.svc.cluster.local", "A", all)).toEqual(["web.shop.svc.cluster.local", "10.96.0.7"]);
  });

  test("to itself ends", () => {
    expect(ask("loop.shop.svc.cluster.local", "A", all)).toContain("loop.shop.svc.cluster.local");
  });
});

describe("changes", () => {
  test("a Service that goes takes all its names along, one that stays keeps them", () => {
    const made = records();
    made.update([db], [dbSlice]);
    expect(ask("web.shop.svc.cluster.local", "A", made)).toBe("no such name");
    expect(ask("7.0.96.10.in-addr.arpa", "PTR", made)).toBe("elsewhere");
    expect(ask("db-0.db.shop.svc.cluster.local", "A", made)).toEqual(["10.244.0.5"]);
    made.update([], []);
    expect(ask("shop.svc.cluster.local", "A", made)).toBe("no such name");
  });

  test("an endpoint that becomes ready appears; publishNotReadyAddresses shows all", () => {
    const made = records();
    const endpoints = dbSlice.endpoints?.map((endpoint) => ({ ...endpoint, conditions: { ready: true } }));
    made.update([web, db], [{ ...dbSlice, endpoints }]);
    expect(ask("db-2.db.shop.svc.cluster.local", "A", made)).toEqual(["10.244.1.7"]);
    const open = { ...db, spec: { ...db.spec, publishNotReadyAddresses: true } };
    expect(ask("db-2.db.shop.svc.cluster.local", "A", records([open]))).toEqual(["10.244.1.7"]);
  });
});
