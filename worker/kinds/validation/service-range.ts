import { dnsSubdomainProblems, pathSegmentProblems } from "../../lib/names.ts";
import { invalidValue, required } from "../../lib/status.ts";
import type { NetworkingV1IPAddress, NetworkingV1ServiceCIDR } from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { goValue } from "./go-values.ts";
import { ipFamily, strictCidrProblems } from "./ip.ts";

/** Ranges of Services' addresses, and the addresses in them. */
export function* validateIpAddress({ spec }: NetworkingV1IPAddress): Problems {
  const parent = spec?.parentRef;
  if (!parent) return yield required("spec.parentRef");
  const { group, resource, name, namespace } = parent;
  if (group) yield* invalidFor("spec.parentRef.group", group, dnsSubdomainProblems(group));
  for (const [field, value] of Object.entries({ resource, name }))
    if (!value) yield required(`spec.parentRef.${field}`);
    else yield* invalidFor(`spec.parentRef.${field}`, value, pathSegmentProblems(value));
  if (namespace) yield* invalidFor("spec.parentRef.namespace", namespace, pathSegmentProblems(namespace));
}

export function* validateIpAddressUpdate({ spec }: NetworkingV1IPAddress, old: NetworkingV1IPAddress): Problems {
  if (same(spec?.parentRef, old.spec?.parentRef)) return;
  yield invalidValue("spec.parentRef", goValue("networking.ParentReference", spec?.parentRef), "field is immutable");
}

const FIELD = "spec.cidrs";
const MAX_CIDRS = 2;

export function* validateServiceCidr({ spec }: NetworkingV1ServiceCIDR): Problems {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return yield required(FIELD, "at least one CIDR required");
  if (cidrs.length > MAX_CIDRS) return yield invalidValue(FIELD, { CIDRs: cidrs }, "may only hold up to 2 values");
  for (const [index, cidr] of cidrs.entries()) yield* invalidFor(`${FIELD}[${index}]`, cidr, strictCidrProblems(cidr));
  const [first, second] = cidrs.map((cidr) => ipFamily(cidr.split("/")[0] ?? ""));
  if (cidrs.length === MAX_CIDRS && first && first === second)
    yield invalidValue(
      FIELD,
      cidrs,
      "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
    );
}

/** A range stays as it is; one of another family may come to it. */
export function* validateServiceCidrUpdate(range: NetworkingV1ServiceCIDR, old: NetworkingV1ServiceCIDR): Problems {
  const cidrs = range.spec?.cidrs ?? [];
  const before = old.spec?.cidrs ?? [];
  const grows = before.length === 1 && cidrs.length === MAX_CIDRS;
  if (cidrs.length !== before.length && !grows)
    return yield invalidValue(FIELD, range.spec?.cidrs ?? null, "field is immutable");
  for (const [index, cidr] of before.entries())
    if (cidr !== cidrs[index]) yield invalidValue(`${FIELD}[${index}]`, cidrs[index], "field is immutable");
  if (grows) yield* validateServiceCidr(range);
}
