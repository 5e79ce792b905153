import { Pod } from "../../kinds/core/pod.ts";
import type { CoreV1Binding, CoreV1Pod, CoreV1PodCondition } from "../../kinds/generated/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { timestamp } from "../../lib/effects.ts";
import { ApiError, badRequest, conflict, type FieldError, notFound, notSupported, required } from "../../lib/status.ts";
import type { Txn } from "../../storage/store.ts";
import { topologyLabels } from "../admission/pod-topology-labels.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { readBody } from "./body.ts";
import { replace } from "./commit.ts";
import type { Core } from "./core.ts";
import { settleNamespace } from "./metadata.ts";
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
  settleNamespace(PodKind, binding, request.namespace);
  const name = binding.metadata?.name ?? "";
  if (request.name && request.name !== name) throw badRequest("name in URL does not match name in Binding object");
  if (!name) throw badRequest("Name parameter required.");
  const { kind: type = "", name: node = "" } = binding.target ?? {};
  if (type && type !== "Node") throw unfit(notSupported("target.kind", type, ["Node", "<empty>"]));
  if (!node) throw unfit(required("target.name"));
  const place = { namespace: request.namespace, name, uid: binding.metadata?.uid, node };
  core.store.write((txn) => {
    const { annotations, labels } = binding.metadata ?? {};
    bindPod(core, txn, { ...place, annotations, labels }, options.dryRun);
  });
  return created(warnings);
}

/** A refusal that kube-apiserver does not explain. */
const unfit = ({ field, message }: FieldError) => new ApiError(500, "", `${field}: ${message}`);

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
  labels?: Record<string, string> | undefined;
};

export function bindPod(core: Core, txn: Txn, place: Place, dryRun = false): void {
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
  // A node that was only hoped for is no news any more.
  const { nominatedNodeName: _, ...status } = old.status ?? {};
  const added = { ...place.labels, ...topologyLabels(core, node) };
  const labels = Object.keys(added).length ? { ...old.metadata?.labels, ...added } : old.metadata?.labels;
  const pod: CoreV1Pod = {
    ...old,
    metadata: {
      ...old.metadata,
      ...(labels && { labels }),
      annotations: { ...old.metadata?.annotations, ...annotations },
    },
    spec: { ...old.spec, nodeName: node } as CoreV1Pod["spec"],
    status: { ...status, conditions: scheduled(status.conditions ?? [], timestamp(core.effects.now())) },
  };
  replace(txn, PodKind, pod, old, stored, dryRun);
}

function scheduled(conditions: readonly CoreV1PodCondition[], now: string): CoreV1PodCondition[] {
  const others = conditions.filter(({ type }) => type !== "PodScheduled");
  // The probe time is written even when there was none: null, which the type cannot say.
  const condition: unknown = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: now };
  return [...others, condition as CoreV1PodCondition];
}
