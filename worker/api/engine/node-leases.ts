import type { CoordinationV1Lease } from "../../kinds/generated/types.ts";
import { microTimestamp } from "../../lib/effects.ts";
import { NODE_LEASES } from "../../lib/node-leases.ts";
import type { StoredObject } from "../../storage/store.ts";
import type { Core } from "./core.ts";

/**
 * Leases of connected nodes, renewed when those were last heard. That is not written, so it moves no revision and wakes
 * no watcher; it takes less than kubelets' renewing every ten seconds by as much as a sleeping cluster takes less.
 */
export function renewed({ heard }: Core, leases: readonly StoredObject[]): readonly StoredObject[] {
  if (!heard || !leases.some(({ namespace }) => namespace === NODE_LEASES)) return leases;
  const times = heard();
  return leases.map((stored) => {
    const time = stored.namespace === NODE_LEASES ? times.get(stored.name) : undefined;
    const lease = JSON.parse(stored.json) as CoordinationV1Lease;
    if (time === undefined || time <= Date.parse(lease.spec?.renewTime ?? "")) return stored;
    return { ...stored, json: JSON.stringify({ ...lease, spec: { ...lease.spec, renewTime: microTimestamp(time) } }) };
  });
}
