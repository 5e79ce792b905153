import { Pod } from "../../kinds/core/pod.ts";
import type { CoreV1Binding, CoreV1Pod, CoreV1PodCondition } from "../../kinds/generated/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { timestamp } from "../../lib/effects.ts";
import { badRequest, conflict, invalid, notFound, notSupported, required } from "../../lib/status.ts";
import type { Txn } from "../../storage/store.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { readBody } from "./body.ts";
import { replace } from "./commit.ts";
import type { Core } from "./core.ts";
import { writeOptions } from "./options.ts";
import { keyOf, subjectOf } from "./stored.ts";

const PodKind = Pod as unknown as Kind;

/** POST of a Binding, to a pod's `binding` or to `bindings`: the one way in which a pod gets its node. */
export function bind(core: Core, request: ApiRequest): ApiResult {
  const options = writeOptions(request);
  const { warnings } = core;
  const kind = core.kinds.find("", "v1", "bindings");
  if (!kind) throw new Error("bindings are not served");
  const binding = readBody(core.kinds, kind, request, options.fieldValidation, warnings) as CoreV1Binding;
  const name = request.name || binding.metadata?.name || "";
  if (binding.metadata?.name && binding.metadata.name !== name)
    throw badRequest(`the name of the object (${binding.metadata.name}) does not match the name on the URL (${name})`);
  const { target } = binding;
  if (target?.kind && target.kind !== "Node")
    throw invalid({ group: "", kind: "Binding", name }, [
      notSupported("target.kind", target.kind, ["Node", "<empty>"]),
    ]);
  if (!target?.name) throw invalid({ group: "", kind: "Binding", name }, [required("target.name")]);
  const place = { namespace: request.namespace, name, uid: binding.metadata?.uid, node: target.name };
  core.store.write((txn) => {
    bindPod(core, txn, { ...place, annotations: binding.metadata?.annotations }, options.dryRun);
  });
  return created(warnings);
}

/** What creates of things that are not stored answer with. */
export const created = (warnings: readonly string[]): ApiResult => ({
  type: "status",
  code: 201,
  body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 },
  warnings,
});

export type Place = {
  namespace: string;
  name: string;
  node: string;
  /** Binds only the pod that was looked at, not a later one of its name. */
  uid?: string | undefined;
  annotations?: Record<string, string> | undefined;
};

export function bindPod({ effects }: Core, txn: Txn, place: Place, dryRun = false): void {
  const { namespace, name, node, uid, annotations } = place;
  const stored = txn.get(keyOf(PodKind, namespace, name));
  if (!stored) throw notFound(subjectOf(PodKind, name));
  const old = JSON.parse(stored.json) as CoreV1Pod;
  const refused = (why: string) => conflict({ group: "", resource: "pods/binding", name }, why);
  if (uid && uid !== stored.uid)
    throw refused(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored.uid}`);
  if (old.metadata?.deletionTimestamp) throw refused(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (old.spec?.nodeName) throw refused(`pod ${name} is already assigned to node ${JSON.stringify(old.spec.nodeName)}`);
  if (old.spec?.schedulingGates?.length) throw refused(`pod ${name} has non-empty .spec.schedulingGates`);
  const pod: CoreV1Pod = {
    ...old,
    metadata: { ...old.metadata, annotations: { ...old.metadata?.annotations, ...annotations } },
    spec: { ...old.spec, nodeName: node } as CoreV1Pod["spec"],
    status: { ...old.status, conditions: scheduled(old.status?.conditions ?? [], timestamp(effects.now())) },
  };
  replace(txn, PodKind, pod, old, stored, dryRun);
}

function scheduled(conditions: readonly CoreV1PodCondition[], now: string): CoreV1PodCondition[] {
  const others = conditions.filter(({ type }) => type !== "PodScheduled");
  // The probe time is written even when there was none: null, which the type cannot say.
  const condition: unknown = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: now };
  return [...others, condition as CoreV1PodCondition];
}
