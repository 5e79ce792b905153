import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { isPort } from "../services/endpoints.ts";
import { type Source, sameSource, sourcesOf } from "../services/sources.ts";
import type { EndpointSlice, Service } from "../types.ts";

export type DnsRecord =
  | { type: "A" | "AAAA" | "CNAME" | "PTR" | "TXT"; data: string }
  | { type: "SRV"; data: { priority: number; weight: number; port: number; target: string } };

type Entries = Map<string, DnsRecord[]>;

/**
 * Names of the cluster, by the specification that CoreDNS and kube-dns follow:
 * https://github.com/kubernetes/dns/blob/master/docs/specification.md
 * Names are lower case without a final dot. Only records of Services that changed are made anew.
 */
export class Records {
  readonly domain: string;
  readonly #byName = new Map<string, Map<string, DnsRecord[]>>();
  /** How many names lie under one, so that a name without records of its own still exists (RFC 8020). */
  readonly #under = new Map<string, number>();
  readonly #sources = new Map<string, Source & { names: string[] }>();

  constructor(domain: string) {
    this.domain = domain;
    this.#put("", new Map([[`dns-version.${domain}`, [{ type: "TXT", data: "1.1.0" }]]]));
  }

  update(services: readonly Service[], endpointSlices: readonly EndpointSlice[]): void {
    const sources = sourcesOf(services, endpointSlices);
    for (const [key, source] of sources) {
      const old = this.#sources.get(key);
      if (old && sameSource(old, source)) continue;
      if (old) this.#take(key, old.names);
      const entries = entriesOf(source, this.domain);
      this.#put(key, entries);
      this.#sources.set(key, { ...source, names: [...entries.keys()] });
    }
    for (const [key, { names }] of [...this.#sources]) {
      if (sources.has(key)) continue;
      this.#take(key, names);
      this.#sources.delete(key);
    }
  }

  /** All records of a name; undefined when there is no such name. */
  find(name: string): readonly DnsRecord[] | undefined {
    const owners = this.#byName.get(name);
    if (owners) return [...owners.values()].flat();
    return this.#under.has(name) ? [] : undefined;
  }

  #put(owner: string, entries: Entries): void {
    for (const [name, records] of entries) {
      const owners = this.#byName.get(name) ?? new Map<string, DnsRecord[]>();
      owners.set(owner, records);
      this.#byName.set(name, owners);
      for (const parent of this.#parents(name)) this.#under.set(parent, (this.#under.get(parent) ?? 0) + 1);
    }
  }

  #take(owner: string, names: readonly string[]): void {
    for (const name of names) {
      const owners = this.#byName.get(name);
      owners?.delete(owner);
      if (owners?.size === 0) this.#byName.delete(name);
      for (const parent of this.#parents(name)) {
        const left = (this.#under.get(parent) ?? 0) - 1;
        if (left > 0) this.#under.set(parent, left);
        else this.#under.delete(parent);
      }
    }
  }

  *#parents(name: string): Generator<string> {
    let rest = name;
    while (rest.endsWith(`.${this.domain}`)) {
      rest = rest.slice(rest.indexOf(".") + 1);
      yield rest;
    }
  }
}

function entriesOf({ service, slices }: Source, domain: string): Entries {
  const name = `${service.metadata?.name}.${service.metadata?.namespace}.svc.${domain}`.toLowerCase();
  const spec = service.spec ?? {};
  const alias = (spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
  if (spec.type === "ExternalName") return new Map(alias ? [[name, [{ type: "CNAME", data: alias }]]] : []);
  return spec.clusterIP === "None" ? headless(name, service, slices) : balanced(name, service);
}

function balanced(name: string, { spec }: Service): Entries {
  const addresses = (spec?.clusterIPs ?? [spec?.clusterIP ?? ""]).flatMap(addressRecord);
  if (addresses.length === 0) return new Map();
  const entries: Entries = new Map(
    addresses.map(({ data }) => [reverseName(data as string), [{ type: "PTR", data: name }]]),
  );
  entries.set(name, addresses);
  for (const { name: port, protocol, port: number } of spec?.ports ?? [])
    if (isPort(number)) addService(entries, name, port, protocol, number, name);
  return entries;
}

function headless(name: string, { spec }: Service, slices: readonly EndpointSlice[]): Entries {
  const entries: Entries = new Map();
  for (const { endpoints, ports } of slices) {
    for (const { addresses, conditions, hostname } of endpoints ?? []) {
      if (conditions?.ready === false && !spec?.publishNotReadyAddresses) continue;
      for (const record of (addresses ?? []).flatMap(addressRecord)) {
        const address = record.data as string;
        const own = `${(hostname || address.replaceAll(/[.:]/g, "-")).toLowerCase()}.${name}`;
        add(entries, name, record);
        add(entries, own, record);
        add(entries, reverseName(address), { type: "PTR", data: own });
        for (const { name: port, protocol, port: number } of ports ?? [])
          if (isPort(number)) addService(entries, name, port, protocol, number, own);
      }
    }
  }
  return entries;
}

/** SRV under `_port._protocol`, for named ports only, and under the Service's own name for all. */
function addService(
  entries: Entries,
  name: string,
  port: string | undefined,
  protocol: string | undefined,
  number: number,
  target: string,
): void {
  const record: DnsRecord = { type: "SRV", data: { priority: 0, weight: 100, port: number, target } };
  if (port) add(entries, `_${port}._${(protocol ?? "TCP").toLowerCase()}.${name}`, record);
  add(entries, name, record);
}

function add(entries: Entries, name: string, record: DnsRecord): void {
  const records = entries.get(name) ?? [];
  const key = JSON.stringify(record);
  if (!records.some((known) => JSON.stringify(known) === key)) records.push(record);
  entries.set(name, records);
}

function addressRecord(address: string): DnsRecord[] {
  if (isIPv4(address)) return [{ type: "A", data: address }];
  return isIPv6(address) ? [{ type: "AAAA", data: address }] : [];
}

/** `10.96.0.1` → `1.0.96.10.in-addr.arpa`; in IPv6 a label for each of 32 digits, under `ip6.arpa` (RFC 3596). */
function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  const digits = ipaddr
    .parse(address)
    .toByteArray()
    .map((byte) => byte.toString(16).padStart(2, "0"));
  return `${[...digits.join("")].reverse().join(".")}.ip6.arpa`;
}
