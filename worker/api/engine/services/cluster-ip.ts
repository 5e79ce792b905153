import type { CoreV1ServiceSpec } from "../../../kinds/generated/types.ts";
import { IPAddress } from "../../../kinds/networking/ip-address.ts";
import { ServiceCIDR } from "../../../kinds/networking/service-cidr.ts";
import { canonicalIp, contains, ipFamily } from "../../../kinds/validation/ip.ts";
import { nthAddress } from "../../../lib/config.ts";
import { type FieldError, internalError, invalidValue } from "../../../lib/status.ts";
import type { Operation } from "../operation.ts";
import { clusterIPRef } from "../refs.ts";
import { isHeld, pickFree } from "./pick.ts";

const MIN_LOWER_BAND = 16;
const MAX_LOWER_BAND = 256;

/** Checks the addresses that were asked for, and takes a free one of each family that has none. */
export function* allocateClusterIPs(
  operation: Operation,
  spec: CoreV1ServiceSpec,
  before: CoreV1ServiceSpec | undefined,
): Iterable<FieldError> {
  if (spec.clusterIP === "None" || before?.clusterIP === "None") return;
  const families = spec.ipFamilies ?? [];
  const asked = families.map((_, index) => spec.clusterIPs?.[index] ?? "");
  const addresses: string[] = [];
  for (const [index, family] of families.entries()) {
    const address = asked[index] || freeAddress(operation, family);
    const isNew = asked[index] && address !== before?.clusterIPs?.[index];
    const why = isNew ? refused(operation, address) : undefined;
    if (why) yield invalidValue("spec.clusterIPs", asked, `failed to allocate IP ${address}: ${why}`);
    addresses.push(address);
  }
  spec.clusterIP = addresses[0];
  spec.clusterIPs = addresses;
}

function freeAddress(operation: Operation, family: string): string {
  for (const range of ranges(operation, family)) {
    const size = sizeOf(range);
    const lowerBand = Math.floor(Math.min(Math.max(MIN_LOWER_BAND, size / 16), MAX_LOWER_BAND, size));
    // Index 0 is the network's own address and is skipped, as is the broadcast address.
    const address = (index: number) => nthAddress(range, index + 1);
    const index = pickFree(operation, { size, lowerBand }, (i) => !isTaken(operation, address(i)));
    if (index !== undefined) return address(index);
  }
  throw internalError("failed to allocate a serviceIP: range is full");
}

/** The ranges that the cluster began with, then those that were added and are there to stay. */
function ranges({ core }: Operation, family: string): Set<string> {
  const added = core.view.list(ServiceCIDR).filter(({ metadata }) => !metadata?.deletionTimestamp);
  const { serviceCIDR, ipv6 } = core.config;
  const all = [serviceCIDR, ...(ipv6 ? [ipv6.serviceCIDR] : []), ...added.flatMap(({ spec }) => spec?.cidrs ?? [])];
  return new Set(all.filter((cidr) => ipFamily(hostOf(cidr)) === family));
}

const hostOf = (cidr: string): string => cidr.split("/")[0] ?? "";

/** Addresses that an IPAddress of someone else's names are taken as well; those of Services are counted by the index. */
function isTaken(operation: Operation, address: string): boolean {
  if (isHeld(operation, clusterIPRef(address))) return true;
  const { parentRef } = operation.core.view.get(IPAddress, "", canonicalIp(address) ?? address)?.spec ?? {};
  return parentRef !== undefined && !(parentRef.resource === "services" && !parentRef.group);
}

/** More than can be counted here are not looked at. */
const MOST_ADDRESSES = 2 ** 48;

/** What of a range can be given: all but its first address, and in IPv4 its last, which is the broadcast address. */
function sizeOf(cidr: string): number {
  const isIPv6 = cidr.includes(":");
  const all = 2 ** ((isIPv6 ? 128 : 32) - Number(cidr.split("/")[1]));
  return Math.min(Math.max(0, all - (isIPv6 ? 1 : 2)), MOST_ADDRESSES);
}

function refused(operation: Operation, address: string): string | undefined {
  if (![...ranges(operation, ipFamily(address) ?? "")].some((range) => isInside(range, address)))
    return "the provided network does not match the current range";
  return isTaken(operation, address) ? "provided IP is already allocated" : undefined;
}

function isInside(cidr: string, address: string): boolean {
  if (!contains(cidr, address) || canonicalIp(address) === nthAddress(cidr, 0)) return false;
  return cidr.includes(":") || address !== nthAddress(cidr, sizeOf(cidr) + 1);
}
