/** `deploy.resources`, `cpus`, `mem_limit`, `mem_reservation`. */
import type { Value } from "../tree.ts";
import { at } from "./attributes.ts";
import type { Container } from "./model.ts";
import { bytes, processors, quantityOfBytes, unlessEmpty } from "./values.ts";

type List = Record<string, string>;

export function resourcesOf(service: Value): Container["resources"] {
  const limits = list(
    at(service, "deploy.resources.limits.cpus") ?? service.get("cpus"),
    at(service, "deploy.resources.limits.memory") ?? service.get("mem_limit"),
  );
  const requests = list(
    at(service, "deploy.resources.reservations.cpus"),
    at(service, "deploy.resources.reservations.memory") ?? service.get("mem_reservation"),
  );
  // Kubernetes would reserve what is only a limit.
  const unreserved = Object.fromEntries(Object.keys(limits).map((name) => [name, "0"]));
  const gpus = devices(at(service, "deploy.resources.reservations.devices"));
  return unlessEmpty<NonNullable<Container["resources"]>>({
    limits: unlessEmpty({ ...limits, ...gpus }),
    requests: unlessEmpty({ ...unreserved, ...requests }),
  });
}

function list(cpu: Value | undefined, memory: Value | undefined): List {
  const count = bytes(memory);
  const processor = processors(cpu);
  return { ...(processor && { cpu: processor }), ...(count && { memory: quantityOfBytes(count) }) };
}

/** GPUs, where the node has a device plugin for them. */
function devices(value: Value | undefined): List {
  const found: List = {};
  for (const device of value?.items() ?? []) {
    const driver = device.get("driver")?.text() ?? "nvidia";
    const count = device.get("count");
    const wanted = count?.text() === "all" || device.get("device_ids") ? undefined : (count?.integer() ?? 1);
    if (driver !== "nvidia" || wanted === undefined)
      device.refuse("Kubernetes gives GPUs by their number", "driver: nvidia and a count");
    else found["nvidia.com/gpu"] = String(wanted);
  }
  return found;
}
