import type { CoreV1Volume } from "../../../kinds/generated/types.ts";
import { type Check, isRelaxed, procMount, type Subject, seccompTypes, setters, type Violation } from "./baseline.ts";
import { type AnyContainer, allContainers, containers, namesWhere, plural, quote, sorted } from "./words.ts";

const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** Since 1.25 rules about Linux ask nothing of Windows. */
const onLinux =
  (find: Check["find"]): Check["find"] =>
  (subject) =>
    subject.minor >= 25 && subject.spec.os?.name === "windows" ? undefined : find(subject);

/** Since 1.35 a pod's own user namespace makes root harmless. */
const unlessRelaxed =
  (find: Check["find"]): Check["find"] =>
  (subject) =>
    isRelaxed(subject) ? undefined : find(subject);

function escalation({ spec }: Subject): Violation | undefined {
  const bad = namesWhere(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (bad.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${containers(bad)} must set securityContext.allowPrivilegeEscalation=false`,
  };
}

function capabilities({ spec }: Subject): Violation | undefined {
  const added = ({ securityContext }: AnyContainer) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
  const keeping = namesWhere(spec, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes("ALL"));
  const adding = namesWhere(spec, (container) => added(container).length > 0);
  const details: string[] = [];
  if (keeping.length) details.push(`${containers(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length) {
    const names = quote(sorted(allContainers(spec).flatMap(added)));
    details.push(`${containers(adding)} must not include ${names} in securityContext.capabilities.add`);
  }
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
}

const typeOf = (volume: CoreV1Volume): string => Object.keys(volume).find((field) => field !== "name") ?? "unknown";

function volumes({ spec }: Subject): Violation | undefined {
  const bad = (spec.volumes ?? []).filter((volume) => !VOLUMES.includes(typeOf(volume)));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map(typeOf));
  const names = quote(bad.map(({ name }) => name));
  const what = `${plural(types.length, "restricted volume type")} ${quote(types)}`;
  return {
    reason: "restricted volume types",
    detail: `${plural(bad.length, "volume")} ${names} ${plural(bad.length, "uses", "use")} ${what}`,
  };
}

function nonRoot({ spec }: Subject): Violation | undefined {
  const reason = "runAsNonRoot != true";
  const found = setters(
    spec,
    ({ runAsNonRoot }) => runAsNonRoot,
    (value) => !value,
  );
  if (found) return { reason, detail: `${found.who} must not set securityContext.runAsNonRoot=false` };
  if (spec.securityContext?.runAsNonRoot) return undefined;
  const silent = namesWhere(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containers(silent)} must set securityContext.runAsNonRoot=true` };
}

function rootUser({ spec }: Subject): Violation | undefined {
  const found = setters(
    spec,
    ({ runAsUser }) => runAsUser,
    (user) => user === 0,
  );
  return found && { reason: "runAsUser=0", detail: `${found.who} must not set runAsUser=0` };
}

function seccomp(subject: Subject): Violation | undefined {
  const { spec } = subject;
  const bad = seccompTypes(subject);
  if (bad || spec.securityContext?.seccompProfile) return bad;
  const silent = namesWhere(spec, ({ securityContext }) => !securityContext?.seccompProfile);
  if (silent.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `pod or ${containers(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
export const restricted: readonly Check[] = [
  { id: "allowPrivilegeEscalation", since: 8, find: onLinux(escalation) },
  { id: "capabilities_restricted", since: 22, overrides: "capabilities_baseline", find: onLinux(capabilities) },
  { id: "procMount_restricted", since: 35, overrides: "procMount", find: procMount },
  { id: "restrictedVolumes", overrides: "hostPathVolumes", find: volumes },
  { id: "runAsNonRoot", find: unlessRelaxed(nonRoot) },
  { id: "runAsUser", since: 23, find: unlessRelaxed(rootUser) },
  { id: "seccompProfile_restricted", since: 19, overrides: "seccompProfile_baseline", find: onLinux(seccomp) },
];
