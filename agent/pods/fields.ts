import type {
  CoreV1Container,
  CoreV1ObjectFieldSelector,
  CoreV1Pod,
  CoreV1ResourceFieldSelector,
} from "../../worker/kinds/generated/types.ts";
import { parseQuantity } from "../../worker/lib/quantity.ts";

/** What a pod's own fields say, for the downward API. Addresses are known only once the sandbox stands. */
export type FieldContext = {
  pod: CoreV1Pod;
  /** One a family, the pod's first. */
  podIPs: readonly string[];
  hostIPs: readonly string[];
  nodeName: string;
  allocatable: { cpu: string; memory: string; "ephemeral-storage": string };
};

const perKey = /^metadata\.(labels|annotations)\['(.+)'\]$/;

const paths: Record<string, (context: FieldContext) => string> = {
  "metadata.name": ({ pod }) => pod.metadata.name ?? "",
  "metadata.namespace": ({ pod }) => pod.metadata.namespace ?? "",
  "metadata.uid": ({ pod }) => pod.metadata.uid ?? "",
  "metadata.labels": ({ pod }) => printMap(pod.metadata.labels),
  "metadata.annotations": ({ pod }) => printMap(pod.metadata.annotations),
  "spec.nodeName": ({ nodeName }) => nodeName,
  "spec.serviceAccountName": ({ pod }) => pod.spec.serviceAccountName ?? "default",
  "status.hostIP": ({ hostIPs }) => hostIPs[0] ?? "",
  "status.hostIPs": ({ hostIPs }) => hostIPs.join(),
  "status.podIP": ({ podIPs }) => podIPs[0] ?? "",
  "status.podIPs": ({ podIPs }) => podIPs.join(),
};

/** https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-fieldRef */
export function fieldValue({ fieldPath }: CoreV1ObjectFieldSelector, context: FieldContext): string {
  const key = perKey.exec(fieldPath);
  if (key) return context.pod.metadata[key[1] as "labels" | "annotations"]?.[key[2] ?? ""] ?? "";
  const read = paths[fieldPath];
  if (!read) throw new Error(`unsupported fieldPath: ${fieldPath}`);
  return read(context);
}

/** One `key="value"` a line, sorted, escaped as Go quotes strings. */
function printMap(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${quote(value)}`)
    .join("\n");
}

const named: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** https://pkg.go.dev/strconv#Quote */
function quote(text: string): string {
  const quoted = text.replace(/["\\]/g, "\\$&").replace(/(?! )[\p{C}\p{Z}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    if (code < 0x80) return named[character] ?? `\\x${hex.padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  });
  return `"${quoted}"`;
}

/**
 * What bounds a container that has no limit of its own: its pod's, else the node.
 * https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#fallback-information-for-resource-limits
 */
export function limitsOf({ spec }: CoreV1Pod, allocatable: FieldContext["allocatable"]): FieldContext["allocatable"] {
  const { cpu, memory } = spec.resources?.limits ?? {};
  return { ...allocatable, ...(cpu && { cpu }), ...(memory && { memory }) };
}

/**
 * A container's request or limit, divided and rounded up. A limit that is not set is what the node can give.
 * https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-resourceFieldRef
 */
export function resourceValue(
  selector: CoreV1ResourceFieldSelector,
  container: CoreV1Container,
  allocatable: FieldContext["allocatable"],
): string {
  const [list, ...rest] = selector.resource.split(".");
  const name = rest.join(".");
  const { limits, requests } = container.resources ?? {};
  const bound = limits?.[name] ?? allocatable[name as keyof FieldContext["allocatable"]];
  const amount = list === "limits" ? bound : (requests?.[name] ?? limits?.[name]);
  if (list !== "limits" && list !== "requests")
    throw new Error(`unsupported container resource : ${selector.resource}`);
  const value = parseQuantity(amount ?? "0").nano;
  const divisor = parseQuantity(selector.divisor && selector.divisor !== "0" ? selector.divisor : "1").nano;
  return `${(value + divisor - 1n) / divisor}`;
}

export const hasSeveralContainers = ({ spec }: CoreV1Pod): boolean =>
  [spec.containers, spec.initContainers ?? [], spec.ephemeralContainers ?? []].flat().length > 1;

export function containerNamed(pod: CoreV1Pod, name: string): CoreV1Container | undefined {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])].find(
    (c) => c.name === name,
  );
}
