import type { CoreV1ServiceSpec } from "../../../kinds/generated/types.ts";
import { IPAddress } from "../../../kinds/networking/ip-address.ts";
import { ServiceCIDR } from "../../../kinds/networking/service-cidr.ts";
import { ipFamily } from "../../../kinds/validation/ip.ts";
import { nthAddress } from "../../../lib/config.ts";
import { type FieldError, internalError, invalidValue } from "../../../lib/status.ts";
import type { Operation } from "../operation.ts";
import { clusterIPRef } from "../refs.ts";
import { isHeld, pickFree } from "./pick.ts";

const MIN_LOWER_BAND = 16;
const MAX_LOWER_BAND = 256;

/** Checks the address that was asked for, or takes a free one. */
export function* allocateClusterIP(operation: Operation, spec: CoreV1ServiceSpec): Iterable<FieldError> {
  if (spec.clusterIP === "None") return;
  const asked = spec.clusterIP;
  if (asked) {
    const why = refused(operation, asked);
    if (why) yield invalidValue("spec.clusterIPs", [asked], `failed to allocate IP ${asked}: ${why}`);
    return;
  }
  spec.clusterIP = freeAddress(operation);
  spec.clusterIPs = [spec.clusterIP];
}

function freeAddress(operation: Operation): string {
  for (const range of ranges(operation)) {
    const size = sizeOf(range);
    const lowerBand = Math.min(Math.max(MIN_LOWER_BAND, size / 16), MAX_LOWER_BAND, size);
    // Index 0 is the network's own address and is skipped, as is the broadcast address.
    const address = (index: number) => nthAddress(range, index + 1);
    const index = pickFree(operation, { size, lowerBand }, (i) => !isTaken(operation, address(i)));
    if (index !== undefined) return address(index);
  }
  throw internalError("failed to allocate a serviceIP: range is full");
}

/** The range that the cluster began with, then those that were added and are there to stay. */
function ranges({ core }: Operation): Set<string> {
  const added = core.view.list(ServiceCIDR).filter(({ metadata }) => !metadata?.deletionTimestamp);
  const cidrs = added.flatMap(({ spec }) => spec?.cidrs ?? []).filter((cidr) => ipFamily(hostOf(cidr)) === "IPv4");
  return new Set([core.config.serviceCIDR, ...cidrs]);
}

const hostOf = (cidr: string): string => cidr.split("/")[0] ?? "";

/** Addresses that an IPAddress of someone else's names are taken as well; those of Services are counted by the index. */
function isTaken(operation: Operation, address: string): boolean {
  if (isHeld(operation, clusterIPRef(address))) return true;
  const { parentRef } = operation.core.view.get(IPAddress, "", address)?.spec ?? {};
  return parentRef !== undefined && !(parentRef.resource === "services" && !parentRef.group);
}

/** What of a range can be given: all but its first and last address. */
const sizeOf = (cidr: string): number => Math.max(0, 2 ** (32 - Number(cidr.split("/")[1])) - 2);

function refused(operation: Operation, address: string): string | undefined {
  if (![...ranges(operation)].some((range) => isInside(range, address)))
    return "the provided network does not match the current range";
  return isTaken(operation, address) ? "provided IP is already allocated" : undefined;
}

const numberOf = (address: string): number => address.split(".").reduce((value, part) => value * 256 + Number(part), 0);

function isInside(cidr: string, address: string): boolean {
  const offset = numberOf(address) - numberOf(nthAddress(cidr, 0));
  return offset > 0 && offset <= sizeOf(cidr);
}
