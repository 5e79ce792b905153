import { dnsLabelProblems } from "../../lib/names.ts";
import { isWhole, parseQuantity } from "../../lib/quantity.ts";
import type { AnyContainer } from "../core/pod-defaults.ts";
import type { CoreV1PodSpec } from "../generated/types.ts";

/** What the server accepts and yet tells clients about. */
const renamedLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** A name that pods take over must be one label to be a host name. `use` says for what it is used. */
export function* nameWarnings(name: string | undefined, use: string): Iterable<string> {
  const problems = dnsLabelProblems(name ?? "");
  if (name && problems.length)
    yield `metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(" ")}]`;
}

type Replicated = { metadata?: { name?: string }; spec?: { template?: { spec?: CoreV1PodSpec } } };

/** Of what keeps replicas that are named after it. */
export function* replicatedWarnings({ metadata, spec }: Replicated, old: Replicated | undefined): Iterable<string> {
  if (!old) yield* nameWarnings(metadata?.name, "Pod names and hostnames");
  yield* podSpecWarnings(spec?.template?.spec, "spec.template.spec");
}

export function* podSpecWarnings(spec: CoreV1PodSpec | undefined, field: string): Iterable<string> {
  if (!spec) return;
  for (const key of Object.keys(spec.nodeSelector ?? {}))
    if (renamedLabels[key]) yield `${field}.nodeSelector[${key}]: ${renamedLabels[key]}`;
  for (const list of ["initContainers", "containers"] as const)
    for (const [index, container] of (spec[list] ?? []).entries())
      yield* containerWarnings(container, `${field}.${list}[${index}]`);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    yield `${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`;
}

function* containerWarnings(container: AnyContainer, field: string): Iterable<string> {
  for (const side of ["limits", "requests"] as const)
    for (const name of ["memory", "ephemeral-storage"]) {
      const amount = container.resources?.[side]?.[name];
      if (amount !== undefined && !isWhole(parseQuantity(amount)))
        yield `${field}.resources.${side}[${name}]: fractional byte value "${amount}" is invalid, must be an integer`;
    }
  const names = new Set<string>();
  for (const [index, { name }] of (container.env ?? []).entries()) {
    if (names.has(name))
      yield `${field}.env[${index}]: hides previous definition of "${name}", which may be dropped when using apply`;
    names.add(name);
  }
}
