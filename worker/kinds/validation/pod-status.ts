import { dnsSubdomainProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue } from "../../lib/status.ts";
import type { CoreV1Pod } from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { ipFamily, isIp, NOT_AN_IP } from "./ip.ts";

const NOT_NEGATIVE = "must be a non-negative integer";
/** Named before condition types were. */
const OWN_CONDITIONS = ["PodScheduled", "Ready", "Initialized"];

type Status = NonNullable<CoreV1Pod["status"]>;

export function* validatePodStatus({ spec, status = {} }: CoreV1Pod, old: CoreV1Pod): Problems {
  yield* validateConditions(status);
  yield* validateNomination(status, old);
  if ((status.observedGeneration ?? 0) < 0)
    yield invalidValue("status.observedGeneration", status.observedGeneration, NOT_NEGATIVE);
  if (status.qosClass !== old.status?.qosClass)
    yield invalidValue("status.qosClass", status.qosClass ?? "", "field is immutable");
  yield* validateClaims(status, new Set(spec?.resourceClaims?.map(({ name }) => name)));
  yield* validateAddresses("podIPs", status, old.status);
  const hostIP = status.hostIPs?.[0]?.ip ?? "";
  if (status.hostIPs?.length && (status.hostIP ?? "") !== hostIP)
    yield invalidValue("status.hostIPs[0].ip", hostIP, "must be equal to `hostIP`");
  yield* validateAddresses("hostIPs", status, old.status);
}

function* validateConditions({ conditions }: Status): Problems {
  for (const [index, { type, observedGeneration = 0 }] of (conditions ?? []).entries()) {
    const at = `status.conditions[${index}]`;
    if (observedGeneration < 0) yield invalidValue(`${at}.observedGeneration`, observedGeneration, NOT_NEGATIVE);
    if (!OWN_CONDITIONS.includes(type)) yield* invalidFor(`${at}.Type`, type, qualifiedNameProblems(type));
  }
}

function* validateNomination({ nominatedNodeName: name }: Status, old: CoreV1Pod): Problems {
  if (!name || name === old.status?.nominatedNodeName) return;
  yield* invalidFor("status.nominatedNodeName", name, dnsSubdomainProblems(name));
  if (old.spec?.nodeName)
    yield forbiddenField("status.nominatedNodeName", "may not be set on pods that are already bound to a node");
}

function* validateClaims({ resourceClaimStatuses }: Status, claims: ReadonlySet<string>): Problems {
  const names = new Set<string>();
  for (const [index, { name, resourceClaimName }] of (resourceClaimStatuses ?? []).entries()) {
    const at = `status.resourceClaimStatuses[${index}].name`;
    if (!claims.has(name)) yield invalidValue(at, name, "must match the name of an entry in `spec.resourceClaims`");
    if (names.has(name)) yield duplicate(at, name);
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimName !== null)
      yield* invalidFor(at, resourceClaimName, dnsSubdomainProblems(resourceClaimName));
  }
}

/** Those that were there before are let be. */
function* validateAddresses(list: "podIPs" | "hostIPs", status: Status, old: Status | undefined): Problems {
  const ipsOf = (of: Status | undefined) => (of?.[list] ?? []).map(({ ip = "" }) => ip);
  const known = ipsOf(old);
  const ips = ipsOf(status);
  for (const [index, ip] of ips.entries())
    if (!known.includes(ip) && !isIp(ip)) yield invalidValue(`status.${list}[${index}]`, ip, NOT_AN_IP);
  if (ips.length < 2) return;
  const families = new Set(ips.map(ipFamily));
  if (ips.length > 2 || families.size < 2)
    yield invalidValue(
      `status.${list}`,
      ips.map((ip) => ({ IP: ip })),
      "may specify no more than one IP for each IP family",
    );
}
