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
