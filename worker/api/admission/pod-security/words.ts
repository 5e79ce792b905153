import type { CoreV1Container, CoreV1PodSpec } from "../../../kinds/generated/types.ts";

/** How checks speak of what they find: pod-security-admission's words, which clients show. */
export const quote = (items: Iterable<string>): string => [...items].map((item) => `"${item}"`).join(", ");

export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);

/** `container "a"`, `containers "a", "b"`. */
export const containers = (names: readonly string[]): string => `${plural(names.length, "container")} ${quote(names)}`;

/** A container of any sort, as far as checks look at it. */
export type AnyContainer = Pick<
  CoreV1Container,
  "name" | "image" | "securityContext" | "ports" | "livenessProbe" | "readinessProbe" | "startupProbe" | "lifecycle"
>;

export const allContainers = (spec: CoreV1PodSpec): AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...((spec.ephemeralContainers ?? []) as AnyContainer[]),
];

export const namesWhere = (spec: CoreV1PodSpec, test: (container: AnyContainer) => boolean): string[] =>
  allContainers(spec)
    .filter(test)
    .map(({ name }) => name);

export const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();
