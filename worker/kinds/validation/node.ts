import { labelValueProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { CoreV1Node, CoreV1Taint } from "../generated/types.ts";
import { same } from "../paths.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";
import { isCidr } from "./ip.ts";
import { validateQuantity } from "./resources.ts";

export const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
function* validateTaints(taints: readonly CoreV1Taint[] | undefined): Problems {
  const seen = new Set<string>();
  for (const [index, taint] of (taints ?? []).entries()) {
    // The path is upstream's, and clients know it.
    const at = `metadata.taints[${index}]`;
    yield* invalidFor(`${at}.key`, taint.key ?? "", qualifiedNameProblems(taint.key ?? ""));
    yield* invalidFor(`${at}.value`, taint.value, labelValueProblems(taint.value ?? ""));
    if (!taint.effect) yield required(`${at}.effect`);
    else if (!TAINT_EFFECTS.includes(taint.effect)) yield notSupported(`${at}.effect`, taint.effect, TAINT_EFFECTS);
    const id = `${taint.key} ${taint.effect}`;
    if (seen.has(id)) {
      const { key = "", value = "", effect = "", timeAdded = null } = taint;
      const { message, ...problem } = duplicate(at, { Key: key, Value: value, Effect: effect, TimeAdded: timeAdded });
      yield { ...problem, message: `${message}: taints must be unique by key and effect pair` };
      return;
    }
    seen.add(id);
  }
}

export function* validateNode({ spec }: CoreV1Node): Problems {
  yield* validateTaints(spec?.taints);
  for (const [index, cidr] of (spec?.podCIDRs ?? []).entries())
    if (!isCidr(cidr))
      yield invalidValue(
        `spec.podCIDRs[${index}]`,
        cidr,
        "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
      );
}

/** Addresses of pods and the machine behind a node are set once. */
export function* validateNodeUpdate(node: CoreV1Node, old: CoreV1Node): Problems {
  yield* validateTaints(node.spec?.taints); // told twice, as upstream tells it
  for (const [list, amounts] of Object.entries({
    capacity: node.status?.capacity,
    allocatable: node.status?.allocatable,
  }))
    for (const [name, amount] of entries(amounts))
      yield* validateQuantity(name, String(amount), `status.${list}.${name}`);
  const addresses = node.status?.addresses ?? [];
  for (const [index, { type, address }] of addresses.entries())
    if (addresses.slice(0, index).some((known) => known.type === type && known.address === address))
      yield duplicate(`status.addresses[${index}]`, { Type: type, Address: address });
  if (old.spec?.podCIDRs?.length && !same(node.spec?.podCIDRs, old.spec.podCIDRs))
    yield forbiddenField("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid');
  if (old.spec?.providerID && node.spec?.providerID !== old.spec.providerID)
    yield forbiddenField("spec.providerID", 'node updates may not change providerID except from "" to valid');
}
