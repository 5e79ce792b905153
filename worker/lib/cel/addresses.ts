import type { Environment } from "@marcbachmann/cel-js";
import ipaddr from "ipaddr.js";
import { CelError } from "./program.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

class Ip {
  readonly address: Address;

  constructor(address: Address) {
    this.address = address;
  }

  toString(): string {
    return this.address.kind() === "ipv6" ? (this.address as ipaddr.IPv6).toRFC5952String() : this.address.toString();
  }
}

class Cidr {
  readonly address: Address;
  readonly bits: number;

  constructor([address, bits]: [Address, number]) {
    this.address = address;
    this.bits = bits;
  }

  toString(): string {
    return `${new Ip(this.address)}/${this.bits}`;
  }
}

/** Go takes neither octal nor shortened IPv4 addresses, nor ones mapped into IPv6, nor zones. */
function ip(text: string): Ip {
  const valid = text.includes(":") ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text);
  const address = valid && !text.includes("%") && ipaddr.parse(text);
  if (!address || (address.kind() === "ipv6" && (address as ipaddr.IPv6).isIPv4MappedAddress()))
    throw new CelError(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return new Ip(address);
}

function cidr(text: string): Cidr {
  if (!ipaddr.isValidCIDR(text))
    throw new CelError(`network address parse error during conversion from string: ${text}`);
  return new Cidr(ipaddr.parseCIDR(text));
}

const succeeds = (body: () => unknown): boolean => {
  try {
    body();
    return true;
  } catch {
    return false;
  }
};

const inRange = (range: string) => (value: Ip) => value.address.range() === range;
const family = ({ address }: Ip | Cidr) => (address.kind() === "ipv4" ? 4n : 6n);

const containsIp = (range: Cidr, { address }: Ip): boolean =>
  address.kind() === range.address.kind() && address.match([range.address, range.bits] as [ipaddr.IPv4, number]);
const containsCidr = (range: Cidr, other: Cidr): boolean =>
  other.bits >= range.bits && containsIp(range, new Ip(other.address));

function masked({ address, bits }: Cidr): Cidr {
  const text = `${address}/${bits}`;
  const network =
    address.kind() === "ipv4" ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
  return new Cidr([network, bits]);
}

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library and the CIDR library */
export function registerAddresses(environment: Environment): void {
  environment
    .registerType("net.IP", Ip)
    .registerType("net.CIDR", Cidr)
    .registerFunction("ip(string): net.IP", ip)
    .registerFunction("isIP(string): bool", (text: string) => succeeds(() => ip(text)))
    .registerFunction("net.IP.family(): int", family)
    .registerFunction("net.IP.isUnspecified(): bool", inRange("unspecified"))
    .registerFunction("net.IP.isLoopback(): bool", inRange("loopback"))
    .registerFunction("net.IP.isLinkLocalUnicast(): bool", inRange("linkLocal"))
    .registerFunction("net.IP.isLinkLocalMulticast(): bool", (value: Ip) => /^(224\.0\.0\.|ff.2:)/.test(String(value)))
    .registerFunction("net.IP.isGlobalUnicast(): bool", (value: Ip) =>
      ["unicast", "private", "uniqueLocal"].includes(value.address.range()),
    )
    .registerFunction("string(net.IP): string", String)
    .registerFunction("cidr(string): net.CIDR", cidr)
    .registerFunction("isCIDR(string): bool", (text: string) => succeeds(() => cidr(text)))
    .registerFunction("net.CIDR.ip(): net.IP", ({ address }: Cidr) => new Ip(address))
    .registerFunction("net.CIDR.prefixLength(): int", ({ bits }: Cidr) => BigInt(bits))
    .registerFunction("net.CIDR.masked(): net.CIDR", masked)
    .registerFunction("net.CIDR.containsIP(net.IP): bool", containsIp)
    .registerFunction("net.CIDR.containsIP(string): bool", (range: Cidr, text: string) => containsIp(range, ip(text)))
    .registerFunction("net.CIDR.containsCIDR(net.CIDR): bool", containsCidr)
    .registerFunction("net.CIDR.containsCIDR(string): bool", (range: Cidr, text: string) =>
      containsCidr(range, cidr(text)),
    )
    .registerFunction("string(net.CIDR): string", String);
}
