import type { CoreV1ServiceSpec } from "../../../kinds/generated/types.ts";
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
  const { serviceCIDR } = operation.core.config;
  const size = sizeOf(serviceCIDR);
  const lowerBand = Math.min(Math.max(MIN_LOWER_BAND, size / 16), MAX_LOWER_BAND, size);
  // Index 0 is the network's own address and is skipped, as is the broadcast address.
  const address = (index: number) => nthAddress(serviceCIDR, index + 1);
  const index = pickFree(operation, { size, lowerBand }, (i) => !isHeld(operation, clusterIPRef(address(i))));
  if (index === undefined) throw internalError("failed to allocate a serviceIP: range is full");
  spec.clusterIP = address(index);
  spec.clusterIPs = [spec.clusterIP];
}

const sizeOf = (cidr: string): number => 2 ** (32 - Number(cidr.split("/")[1])) - 2;

function refused(operation: Operation, address: string): string | undefined {
  if (!contains(operation.core.config.serviceCIDR, address))
    return "the provided network does not match the current range";
  return isHeld(operation, clusterIPRef(address)) ? "provided IP is already allocated" : undefined;
}

const numberOf = (address: string): number => address.split(".").reduce((value, part) => value * 256 + Number(part), 0);

function contains(cidr: string, address: string): boolean {
  const offset = numberOf(address) - numberOf(nthAddress(cidr, 0));
  return offset > 0 && offset <= sizeOf(cidr);
}
