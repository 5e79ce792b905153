import ipaddr from "ipaddr.js";

/** Addresses as clients write them. */
export const NOT_AN_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
export const NOT_A_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

const DOTTED = /^\d{1,3}(\.\d{1,3}){3}$/;

/** `IPv4`, `IPv6`, or undefined for what is no address. Short IPv4 forms such as `10.1` are none. */
export function ipFamily(text: string): "IPv4" | "IPv6" | undefined {
  if (DOTTED.test(text)) return ipaddr.IPv4.isValid(text) ? "IPv4" : undefined;
  return text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text) ? "IPv6" : undefined;
}

export const isIp = (text: string): boolean => ipFamily(text) !== undefined;

export function isCidr(text: string): boolean {
  const [address = "", bits = "", ...more] = text.split("/");
  const family = ipFamily(address);
  if (!family || more.length || !/^\d{1,3}$/.test(bits)) return false;
  return Number(bits) <= (family === "IPv4" ? 32 : 128);
}

/** Both of one family, `inner` smaller than `outer` and inside it. */
export function isStrictSubnet(inner: string, outer: string): boolean {
  if (!isCidr(inner) || !isCidr(outer)) return false;
  const [outerAddress, outerBits] = ipaddr.parseCIDR(outer);
  const [innerAddress, innerBits] = ipaddr.parseCIDR(inner);
  if (outerAddress.kind() !== innerAddress.kind() || innerBits <= outerBits) return false;
  return innerAddress.match(outerAddress, outerBits);
}

/** Reaches only the machine or link itself, or nothing: no use as an endpoint. */
export function specialRange(text: string): "unspecified" | "loopback" | "linkLocal" | "multicast" | undefined {
  const range = ipaddr.parse(text).range();
  return range === "unspecified" || range === "loopback" || range === "linkLocal" || range === "multicast"
    ? range
    : undefined;
}

/** An address in the one form in which it is printed; undefined for what is none. */
export function canonicalIp(text: string): string | undefined {
  if (!isIp(text)) return undefined;
  const address = ipaddr.parse(text);
  return address.kind() === "ipv6" ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();
}

/** A range as it is printed, without bits beyond its length; undefined for what is none. */
export function canonicalCidr(text: string): string | undefined {
  if (!isCidr(text)) return undefined;
  const [address = "", bits] = text.split("/");
  const family = ipFamily(address) === "IPv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${canonicalIp(family.networkAddressFromCIDR(text).toString())}/${Number(bits)}`;
}

const isMapped = (address: string): boolean => {
  const parsed = ipaddr.parse(address);
  return parsed.kind() === "ipv6" && (parsed as ipaddr.IPv6).isIPv4MappedAddress();
};

/** Why `text` is not the name of an address. */
export function strictIpProblems(text: string): string[] {
  const canonical = canonicalIp(text);
  if (canonical === undefined) return [NOT_AN_IP];
  if (DOTTED.test(text) && /(^|\.)0\d/.test(text)) return ["must not have leading 0s"];
  if (isMapped(text)) return ["must not be an IPv4-mapped IPv6 address"];
  return canonical === text ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** Why `text` is not the name of a range. */
export function strictCidrProblems(text: string): string[] {
  if (!isCidr(text)) return [NOT_A_CIDR];
  const [address = "", bits] = text.split("/");
  if (isMapped(address)) return ["must not have an IPv4-mapped IPv6 address"];
  const canonical = canonicalCidr(text) ?? "";
  if (`${canonicalIp(address)}/${Number(bits)}` !== canonical)
    return ["must not have bits set beyond the prefix length"];
  return canonical === text ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** Why `text` is not an address with the size of its network. */
export function interfaceAddressProblems(text: string): string[] {
  if (!isCidr(text)) return ["must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"];
  const [address = "", bits] = text.split("/");
  const canonical = isMapped(address)
    ? `${unmapped(address)}/${Math.max(Number(bits) - 96, 0)}`
    : `${canonicalIp(address)}/${Number(bits)}`;
  return canonical === text ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

/** True when the range has the address, or all of the smaller or equal range. */
export function contains(range: string, inner: string): boolean {
  const [network, bits] = ipaddr.parseCIDR(range);
  const [address, innerBits] = inner.includes("/") ? ipaddr.parseCIDR(inner) : [ipaddr.parse(inner), 128];
  return address.kind() === network.kind() && innerBits >= bits && address.match(network, bits);
}

/** What is said of an address that is read today, and yet should be written otherwise. */
export function* ipWarnings(text: string, field: string): Iterable<string> {
  const canonical = canonicalIp(text);
  if (canonical === undefined) return;
  if ((DOTTED.test(text) && /(^|\.)0\d/.test(text)) || isMapped(text))
    yield `${field}: non-standard IP address ${JSON.stringify(text)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(isMapped(text) ? unmapped(text) : canonical)}`;
  else if (text.includes(":") && canonical !== text)
    yield `${field}: IPv6 address ${JSON.stringify(text)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`;
}

const unmapped = (text: string): string => (ipaddr.parse(text) as ipaddr.IPv6).toIPv4Address().toString();

/** The same of a range, whose bits beyond the prefix should be none. */
export function* cidrWarnings(text: string, field: string): Iterable<string> {
  if (!isCidr(text)) return;
  const [address = "", bits = ""] = text.split("/");
  const isV4 = ipFamily(address) === "IPv4";
  const range = canonicalCidr(text) ?? "";
  const canonical = canonicalIp(address) ?? "";
  const quoted = JSON.stringify(text);
  const isAmbiguous = `${canonical}/${Number(bits)}` !== range;
  if (isAmbiguous)
    yield `${field}: CIDR value ${quoted} is ambiguous in this context (should be ${JSON.stringify(range)} or ${JSON.stringify(`${canonical}/${isV4 ? 32 : 128}`)}?)`;
  if ((isV4 && /(^|\.)0\d/.test(address)) || isMapped(address))
    yield `${field}: non-standard CIDR value ${quoted} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(range)}`;
  else if (!isAmbiguous && !isV4 && range !== text)
    yield `${field}: IPv6 CIDR value ${quoted} should be in RFC 5952 canonical format (${JSON.stringify(range)})`;
}
