import type { MetaV1LabelSelector } from "../generated/types.ts";

/**
 * Values as messages show them: the server's own structs, whose fields are named and ordered otherwise than in JSON.
 */
const or = <T>(value: T | null | undefined, zero: unknown): unknown => value ?? zero;

/** LabelSelector is a versioned type and shows as JSON. */
export function goSelector(selector: MetaV1LabelSelector | null | undefined): unknown {
  if (!selector) return null;
  const { matchLabels, matchExpressions } = selector;
  return {
    ...(matchLabels && Object.keys(matchLabels).length && { matchLabels }),
    ...(matchExpressions?.length && {
      matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
        key,
        operator,
        ...(values?.length && { values }),
      })),
    }),
  };
}

/** `[go name, JSON name, zero value or nested fields]` in the struct's order. */
type GoField = readonly [string, string, unknown?];

const SECURITY_CONTEXT: readonly GoField[] = [
  ["Capabilities", "capabilities"],
  ["Privileged", "privileged"],
  ["SELinuxOptions", "seLinuxOptions"],
  ["WindowsOptions", "windowsOptions"],
  ["RunAsUser", "runAsUser"],
  ["RunAsGroup", "runAsGroup"],
  ["RunAsNonRoot", "runAsNonRoot"],
  ["ReadOnlyRootFilesystem", "readOnlyRootFilesystem"],
  ["AllowPrivilegeEscalation", "allowPrivilegeEscalation"],
  ["ProcMount", "procMount"],
  ["SeccompProfile", "seccompProfile"],
  ["AppArmorProfile", "appArmorProfile"],
];

const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

/** Names its fields as Go does; nested values keep their JSON order. */
function goNamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(goNamed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [capitalized(name), goNamed(inner)]));
}

export function goSecurityContext(context: object): unknown {
  const json = context as Record<string, unknown>;
  return Object.fromEntries(
    SECURITY_CONTEXT.map(([go, name, zero = null]) => [go, json[name] === undefined ? zero : goNamed(json[name])]),
  );
}

export const goServicePort = (port: {
  protocol?: string;
  appProtocol?: string;
  port?: number;
}): Record<string, unknown> => ({
  Name: "",
  Protocol: or(port.protocol, ""),
  AppProtocol: or(port.appProtocol, null),
  Port: or(port.port, 0),
  TargetPort: 0,
  NodePort: 0,
});
