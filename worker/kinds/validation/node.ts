import { labelValueProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { CoreV1Node, CoreV1Taint } from "../generated/types.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";
import { isCidr, NOT_A_CIDR } from "./ip.ts";
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

export function* validateNode({ spec, status }: CoreV1Node): Problems {
  yield* validateTaints(spec?.taints);
  yield* validateAmounts(status);
  const ranges = spec?.podCIDRs ?? [];
  for (const [index, range] of ranges.entries())
    if (!isCidr(range)) yield invalidValue(`spec.podCIDRs[${index}]`, range, NOT_A_CIDR);
  const families = new Set(ranges.map((range) => range.includes(":")));
  if (ranges.length > 1 && ranges.every(isCidr) && (families.size < 2 || ranges.length > 2))
    yield invalidValue("spec.podCIDRs", ranges, "may specify no more than one CIDR for each IP family");
}

function* validateAmounts(status: CoreV1Node["status"]): Problems {
  for (const list of ["capacity", "allocatable"] as const)
    for (const [name, amount] of entries(status?.[list]))
      yield* validateQuantity(name, String(amount), `status.${list}.${name}`);
}

/** Addresses of pods and the machine behind a node are set once. Amounts and taints are told of twice, as upstream. */
export function* validateNodeUpdate(node: CoreV1Node, old: CoreV1Node): Problems {
  yield* validateAmounts(node.status);
  const addresses = node.status?.addresses ?? [];
  for (const [index, { type, address }] of addresses.entries())
    if (addresses.slice(0, index).some((known) => known.type === type && known.address === address))
      yield duplicate(`status.addresses[${index}]`, { Type: type, Address: address });
  const [now, was] = [node.spec?.podCIDRs ?? [], old.spec?.podCIDRs ?? []];
  const changed = now.length === was.length ? was.filter((range, index) => range !== now[index]).length : 1;
  for (let times = was.length ? changed : 0; times > 0; times--)
    yield forbiddenField("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid');
  if (old.spec?.providerID && node.spec?.providerID !== old.spec.providerID)
    yield forbiddenField("spec.providerID", 'node updates may not change providerID except from "" to valid');
  yield* validateTaints(node.spec?.taints);
  if ((node.spec?.externalID ?? "") !== (old.spec?.externalID ?? ""))
    yield forbiddenField("spec.externalID", "may not be updated");
}
