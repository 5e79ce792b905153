/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library and the CIDR library */
import ipaddr from "ipaddr.js";
import { sizeOf as actualSize, ofFirst, ofFirstTwice, one, scaled } from "../costs.ts";
import { type Costs, Library } from "../environment.ts";
import { CelError } from "../errors.ts";
import { add, fixed, type Range, scale } from "../ranges.ts";
import { CelObject } from "../values.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const textOf = (address: Address): string =>
  address.kind() === "ipv6" ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();

class Ip extends CelObject {
  readonly typeName = "net.IP";
  readonly address: Address;

  constructor(address: Address) {
    super();
    this.address = address;
  }

  /** Octets, for costs. */
  get size(): number {
    return Math.ceil(this.address.toByteArray().length);
  }

  override equals(other: Ip): boolean {
    return String(this) === String(other);
  }

  override toString(): string {
    return textOf(this.address);
  }
}

class Cidr extends CelObject {
  readonly typeName = "net.CIDR";
  readonly address: Address;
  readonly bits: number;

  constructor([address, bits]: [Address, number]) {
    super();
    this.address = address;
    this.bits = bits;
  }

  get size(): number {
    return Math.ceil(this.bits / 8);
  }

  override equals(other: Cidr): boolean {
    return String(this) === String(other);
  }

  override toString(): string {
    return `${textOf(this.address)}/${this.bits}`;
  }
}

const isMapped = (address: Address): boolean =>
  address.kind() === "ipv6" && (address as ipaddr.IPv6).isIPv4MappedAddress();

/** Go takes neither octal nor shortened IPv4 addresses; Kubernetes neither mapped ones nor zones. */
function ip(text: string): Ip {
  const quoted = JSON.stringify(text);
  const isSix = text.includes(":");
  if (!(isSix ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text)))
    throw new CelError(
      `IP Address ${quoted} parse error during conversion from string: ParseAddr(${quoted}): ${whyNoAddress(text)}`,
    );
  if (text.includes("%")) throw new CelError(`IP address ${quoted} with zone value is not allowed`);
  const address = ipaddr.parse(text);
  if (isMapped(address)) throw new CelError(`IPv4-mapped IPv6 address ${quoted} is not allowed`);
  return new Ip(address);
}

function whyNoAddress(text: string): string {
  const separator = /[.:%]/.exec(text)?.[0];
  if (separator === undefined) return "unable to parse IP";
  if (separator === "%") return "missing IPv6 address";
  if (separator === ":") return "unexpected character";
  const parts = text.split(".");
  if (parts.some((part) => part === "")) return "IPv4 field must have at least one digit";
  if (parts.some((part) => /^\d+$/.test(part) && part.length > 1 && part.startsWith("0")))
    return "IPv4 field has octet with leading zero";
  if (parts.some((part) => /^\d+$/.test(part) && Number(part) > 255)) return "IPv4 field has value >255";
  return parts.length < 4
    ? "IPv4 address too short"
    : parts.length > 4
      ? "IPv4 address too long"
      : "unexpected character";
}

function cidr(text: string): Cidr {
  const quoted = JSON.stringify(text);
  const wrong = (why: string) =>
    new CelError(
      `network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix(${quoted}): ${why}`,
    );
  const slash = text.lastIndexOf("/");
  if (slash < 0) throw wrong("no '/'");
  const [host, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  const isSix = host.includes(":");
  if (!(isSix ? ipaddr.IPv6.isValid(host) : ipaddr.IPv4.isValidFourPartDecimal(host)))
    throw wrong(`ParseAddr(${JSON.stringify(host)}): ${whyNoAddress(host)}`);
  if (host.includes("%")) throw wrong("IPv6 zones cannot be present in a prefix");
  if (!/^(?:0|[1-9]\d*)$/.test(bits)) throw wrong(`bad bits after slash: ${JSON.stringify(bits)}`);
  if (Number(bits) > (isSix ? 128 : 32)) throw wrong("prefix length out of range");
  const address = ipaddr.parse(host);
  if (isMapped(address))
    throw new CelError(
      `network address parse error during conversion from string: IPv4-mapped IPv6 address ${quoted} is not allowed`,
    );
  return new Cidr([address, Number(bits)]);
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
const isLinkLocalMulticast = (value: Ip) => /^(?:224\.0\.0\.|ff.2:)/.test(String(value));
const isGlobalUnicast = (value: Ip) =>
  String(value) !== "255.255.255.255" &&
  !["unspecified", "loopback", "multicast", "linkLocal"].includes(value.address.range());

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

const parsing: Costs = {
  cost: ofFirst,
  estimate: ([text], sizeOf) => text && { cost: scale(sizeOf(text), 0.1) },
};
const looking: Costs = { cost: one, estimate: () => ({ cost: fixed(1) }) };

/** Of comparing octets; a text must be read before. */
const OCTETS: Range = { min: 4, max: 16 };
const containing = (isCidr: boolean, isText: boolean): Costs => ({
  cost([range, other]) {
    const size = actualSize(range);
    return scaled(size + size) + (isCidr ? scaled(size) + 1 : 0) + (isText ? scaled(actualSize(other)) : 0);
  },
  estimate([, other], sizeOf) {
    if (!other) return undefined;
    let cost = scale(add(OCTETS, OCTETS), 0.1);
    if (isCidr) cost = add(add(cost, scale(OCTETS, 0.1)), fixed(1));
    return { cost: isText ? add(cost, scale(sizeOf(other), 0.1)) : cost };
  },
});

export const addresses = new Library()
  .add("ip(string): net.IP", "string_to_ip", ip, parsing)
  .add("net.IP::family(): int", "ip_family", ({ address }: Ip) => (address.kind() === "ipv4" ? 4n : 6n), looking)
  .add("ip.isCanonical(string): bool", "ip_is_canonical", (text: string) => String(ip(text)) === text, {
    cost: ofFirstTwice,
    estimate: ([text], sizeOf) => text && { cost: scale(sizeOf(text), 0.2) },
  })
  .add("net.IP::isUnspecified(): bool", "ip_is_unspecified", inRange("unspecified"), looking)
  .add("net.IP::isLoopback(): bool", "ip_is_loopback", inRange("loopback"), looking)
  .add("net.IP::isLinkLocalMulticast(): bool", "ip_is_link_local_multicast", isLinkLocalMulticast, looking)
  .add("net.IP::isLinkLocalUnicast(): bool", "ip_is_link_local_unicast", inRange("linkLocal"), looking)
  .add("net.IP::isGlobalUnicast(): bool", "ip_is_global_unicast", isGlobalUnicast, looking)
  .add("isIP(string): bool", "is_ip", (text: string) => succeeds(() => ip(text)), parsing)
  .add("string(net.IP): string", "ip_to_string", String)
  .add("cidr(string): net.CIDR", "string_to_cidr", cidr, parsing)
  .add(
    "net.CIDR::containsIP(string): bool",
    "cidr_contains_ip_string",
    (range: Cidr, text: string) => containsIp(range, ip(text)),
    containing(false, true),
  )
  .add("net.CIDR::containsIP(net.IP): bool", "cidr_contains_ip_ip", containsIp, containing(false, false))
  .add(
    "net.CIDR::containsCIDR(string): bool",
    "cidr_contains_cidr_string",
    (range: Cidr, text: string) => containsCidr(range, cidr(text)),
    containing(true, true),
  )
  .add("net.CIDR::containsCIDR(net.CIDR): bool", "cidr_contains_cidr", containsCidr, containing(true, false))
  .add("net.CIDR::ip(): net.IP", "cidr_ip", ({ address }: Cidr) => new Ip(address), looking)
  .add("net.CIDR::prefixLength(): int", "cidr_prefix_length", ({ bits }: Cidr) => BigInt(bits), looking)
  .add("net.CIDR::masked(): net.CIDR", "cidr_masked", masked, looking)
  .add("isCIDR(string): bool", "is_cidr", (text: string) => succeeds(() => cidr(text)), parsing)
  .add("string(net.CIDR): string", "cidr_to_string", String);
