import { byteLength } from "../../lib/bytes.ts";
import { forbiddenField, invalidValue, notSupported, required, tooLong, tooMany } from "../../lib/status.ts";
import type {
  ResourceV1AllocatedDeviceStatus,
  ResourceV1AllocationResult,
  ResourceV1NetworkDeviceData,
  ResourceV1ResourceClaim,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { validateConditions } from "./conditions.ts";
import {
  MAX_CONFIGS,
  validateConfiguration,
  validateData,
  validateDeviceName,
  validateList,
  validatePoolName,
  validateSet,
} from "./devices.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { goValue } from "./go-values.ts";
import { interfaceAddressProblems } from "./ip.ts";
import { type RequestNames, requestNames, validateReference, validateReferences } from "./resource-claim.ts";
import { validateNodeSelector } from "./scheduling.ts";
import { validateDriverName } from "./volume-disks.ts";

const MAX_CONSUMERS = 256;
const MAX_RESULTS = 32;
const MAX_CONDITIONS = 8;
const MAX_INTERFACE_BYTES = 256;
const MAX_HARDWARE_BYTES = 128;
const MAX_IPS = 16;
const SOURCES = ["FromClaim", "FromClass"];

type DeviceId = { driver: string; pool: string; device: string };

export const deviceKey = ({ driver, pool, device }: DeviceId): string => JSON.stringify([driver, pool, device]);
const goDeviceId = ({ driver, pool, device }: DeviceId) => ({
  Driver: driver,
  Pool: pool,
  Device: device,
  ShareID: "",
});

export function* validateClaimStatus(claim: ResourceV1ResourceClaim, old: ResourceV1ResourceClaim): Problems {
  const { reservedFor, devices, allocation } = claim.status ?? {};
  yield* validateSet(reservedFor, MAX_CONSUMERS, "status.reservedFor", {
    *check({ resource, name, uid }, at) {
      if (!resource) yield required(`${at}.resource`);
      if (!name) yield required(`${at}.name`);
      if (!uid) yield required(`${at}.uid`);
    },
    key: ({ uid }) => uid,
  });
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceKey));
  yield* validateSet(devices, Number.POSITIVE_INFINITY, "status.devices", {
    check: (device, at) => validateDeviceStatus(device, at, allocated),
    key: goDeviceId,
  });
  if (reservedFor?.length && !allocation)
    yield forbiddenField("status.reservedFor", "may not be specified when `allocated` is not set");
  else if (claim.metadata?.deletionTimestamp) {
    const known = old.status?.reservedFor ?? [];
    if (reservedFor?.some((consumer) => !known.some((one) => same(one, consumer))))
      yield forbiddenField(
        "status.reservedFor",
        "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set",
      );
  }
  if (!allocation) return;
  if (!old.status?.allocation) yield* validateAllocation(allocation, requestNames(claim.spec));
  else if (!same(allocation, old.status.allocation))
    yield invalidValue("status.allocation", goValue("resource.AllocationResult", allocation), "field is immutable");
}

function* validateAllocation({ devices, nodeSelector }: ResourceV1AllocationResult, names: RequestNames): Problems {
  const field = "status.allocation";
  yield* validateList(devices?.results, MAX_RESULTS, `${field}.devices.results`, function* (result, at) {
    yield* validateReference(result.request, `${at}.request`, names);
    yield* validateDevice(result, at);
  });
  // Those of the class and of the claim.
  yield* validateList(devices?.config, 2 * MAX_CONFIGS, `${field}.devices.config`, function* (config, at) {
    if (!config.source) yield required(`${at}.source`);
    else if (!SOURCES.includes(config.source)) yield notSupported(`${at}.source`, config.source, SOURCES);
    yield* validateReferences(config.requests, `${at}.requests`, names);
    yield* validateConfiguration(config, at);
  });
  if (nodeSelector) yield* validateNodeSelector(nodeSelector, `${field}.nodeSelector`);
}

function* validateDevice({ driver, pool, device }: DeviceId, field: string): Problems {
  yield* validateDriverName(driver, `${field}.driver`);
  yield* validatePoolName(pool, `${field}.pool`);
  yield* validateDeviceName(device, `${field}.device`);
}

function* validateDeviceStatus(
  status: ResourceV1AllocatedDeviceStatus,
  field: string,
  allocated: ReadonlySet<string>,
): Problems {
  yield* validateDevice(status, field);
  if (!allocated.has(deviceKey(status)))
    yield invalidValue(field, goDeviceId(status), "must be an allocated device in the claim");
  const { data, networkData } = status;
  const conditions = status.conditions ?? [];
  if (conditions.length > MAX_CONDITIONS) yield tooMany(`${field}.conditions`, conditions.length, MAX_CONDITIONS);
  yield* validateConditions(conditions, `${field}.conditions`);
  if (data !== undefined) yield* validateData(data, `${field}.data`);
  if (networkData) yield* validateNetworkData(networkData, `${field}.networkData`);
}

function* validateNetworkData(data: ResourceV1NetworkDeviceData, field: string): Problems {
  if (byteLength(data.interfaceName ?? "") > MAX_INTERFACE_BYTES)
    yield tooLong(`${field}.interfaceName`, MAX_INTERFACE_BYTES);
  if (byteLength(data.hardwareAddress ?? "") > MAX_HARDWARE_BYTES)
    yield tooLong(`${field}.hardwareAddress`, MAX_HARDWARE_BYTES);
  yield* validateSet(data.ips, MAX_IPS, `${field}.ips`, {
    check: (ip, at) => invalidFor(at, ip, interfaceAddressProblems(ip)),
    key: (ip) => ip,
  });
}
