import { Namespace } from "../../../kinds/core/namespace.ts";
import { Pod } from "../../../kinds/core/pod.ts";
import type { CoreV1PodSpec } from "../../../kinds/generated/types.ts";
import { read } from "../../../kinds/paths.ts";
import { POD_TEMPLATES } from "../../../kinds/pod-templates.ts";
import type { KubeObject, ObjectMeta } from "../../../lib/object.ts";
import { invalid } from "../../../lib/status.ts";
import type { Operation } from "../../engine/operation.ts";
import { type Admission, annotate, refusal } from "../admission.ts";
import { describe, isStricter, labelProblems, policyOf, violations } from "./policy.ts";

/** Subresources of pods that are about what runs, or not about the pod's spec at all. */
const IGNORED = new Set(["attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"]);

/**
 * Holds pods to the security standard that their namespace's labels name: refuses them, or warns of what would be
 * refused, also while all there is of a pod is a template.
 * https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
export const podSecurity: Admission = {
  name: "PodSecurity",
  admits(operation) {
    const { kind, subresource, action } = operation;
    if (action === "DELETE") return;
    const template = POD_TEMPLATES[kind.groupResource];
    if (kind.groupResource === Namespace.groupResource) {
      if (subresource === "") admitNamespace(operation);
    } else if (kind.groupResource === Pod.groupResource) {
      if (!IGNORED.has(subresource)) admitPod(operation);
    } else if (template && subresource === "")
      warn(operation, read(operation.object, template) as Template | undefined);
  },
};

type Template = { metadata?: ObjectMeta; spec?: CoreV1PodSpec };

const labelsOf = ({ metadata }: KubeObject = {}) => metadata?.labels ?? {};
const subjectOf = ({ metadata = {}, spec }: Template) => ({ metadata, spec: spec ?? ({} as CoreV1PodSpec) });
const policyFor = ({ core, namespace }: Operation) => policyOf(labelsOf(core.view.get(Namespace, "", namespace)));

function admitPod(operation: Operation): void {
  const { object, old } = operation;
  if (old && !changesPrograms(object as Template, old as Template)) return;
  const { enforce } = policyFor(operation);
  annotate(operation, "pod-security.kubernetes.io/enforce-policy", `${enforce.level}:${enforce.version}`);
  const found = violations(enforce, subjectOf(object as Template));
  if (found.length > 0) {
    noteViolations(operation, object as Template);
    throw refusal(operation, `violates ${describe(enforce, found)}`);
  }
  warn(operation, object as Template);
}

function warn(operation: Operation, template: Template | undefined): void {
  if (!template?.spec) return;
  noteViolations(operation, template);
  const rule = policyFor(operation).warn;
  const found = violations(rule, subjectOf(template));
  if (found.length > 0) operation.warnings.push(`would violate ${describe(rule, found)}`);
}

/** For the audit log, where the namespace asks for that. */
function noteViolations(operation: Operation, template: Template): void {
  if (!operation.request.audit) return;
  const { audit } = policyFor(operation);
  const found = violations(audit, subjectOf(template));
  if (found.length > 0)
    annotate(operation, "pod-security.kubernetes.io/audit-violations", `would violate ${describe(audit, found)}`);
}

/** All else about security cannot change once a pod is there. */
function changesPrograms({ spec }: Template, { spec: before }: Template): boolean {
  const images = (of: CoreV1PodSpec | undefined) =>
    [of?.initContainers, of?.containers, of?.ephemeralContainers].map((list) =>
      (list ?? []).map(({ name, image }) => [name, image]),
    );
  return JSON.stringify(images(spec)) !== JSON.stringify(images(before));
}

function admitNamespace(operation: Operation): void {
  const { kind, object, old, warnings } = operation;
  const problems = [...labelProblems(labelsOf(object))];
  const known = old ? [...labelProblems(labelsOf(old))] : [];
  if (problems.length > 0 && JSON.stringify(problems) !== JSON.stringify(known))
    throw invalid({ group: kind.group, kind: kind.kind, name: object.metadata?.name ?? "" }, problems);
  if (!old) return;
  const [now, before] = [policyOf(labelsOf(object)).enforce, policyOf(labelsOf(old)).enforce];
  if (now.level === before.level && now.version === before.version) return;
  if (now.version === before.version && !isStricter(now, before)) return;
  warnings.push(...existing(operation, now));
}

/** Pods that are there already stay, and their owner hears of it. */
function existing({ core, object }: Operation, rule: ReturnType<typeof policyOf>["enforce"]): string[] {
  const namespace = object.metadata?.name ?? "";
  const pods = new Map<string, string[]>();
  for (const pod of core.view.list(Pod, namespace)) {
    const why = violations(rule, subjectOf(pod as Template)).map(({ reason }) => reason);
    if (why.length === 0) continue;
    const reasons = why.join(", ");
    pods.set(reasons, [...(pods.get(reasons) ?? []), pod.metadata.name ?? ""]);
  }
  if (pods.size === 0) return [];
  const lines = [...pods].map(([why, names]) => {
    const others = names.length - 1;
    const more = others === 0 ? "" : ` (and ${others} other ${others === 1 ? "pod" : "pods"})`;
    return `${names.toSorted()[0]}${more}: ${why}`;
  });
  const level = `${rule.level}:${rule.version}`;
  return [
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level "${level}"`,
    ...lines.sort(),
  ];
}
