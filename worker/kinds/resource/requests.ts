import type {
  ResourceV1DeviceSubRequest,
  ResourceV1ExactDeviceRequest,
  ResourceV1ResourceClaimSpec,
} from "../generated/types.ts";

function* wantedBy(
  spec: ResourceV1ResourceClaimSpec | undefined,
): Iterable<ResourceV1ExactDeviceRequest | ResourceV1DeviceSubRequest> {
  for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
    if (exactly) yield exactly;
    yield* firstAvailable;
  }
}

export function defaultRequests(spec: ResourceV1ResourceClaimSpec | undefined): void {
  for (const wanted of wantedBy(spec)) {
    wanted.allocationMode ||= "ExactCount";
    if (wanted.allocationMode === "ExactCount") wanted.count ||= 1;
  }
}

/** What is off by default: taints of devices, and devices that are shared. */
export function dropDisabledRequests(spec: ResourceV1ResourceClaimSpec | undefined): void {
  for (const wanted of wantedBy(spec)) {
    delete wanted.tolerations;
    delete wanted.capacity;
  }
  for (const constraint of spec?.devices?.constraints ?? []) delete constraint.distinctAttribute;
}
