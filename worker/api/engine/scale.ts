import { kindOf } from "../../kinds/define-kind.ts";
import type { AutoscalingV1Scale } from "../../kinds/generated/types.ts";
import type { Kind, ScalePaths } from "../../kinds/kind.ts";
import { type Application, apply } from "../../kinds/patch/apply.ts";
import { parentManagers, type ReplicasPath, scaleManagers } from "../../kinds/patch/scale-fields.ts";
import { type Tracking, trackUpdate } from "../../kinds/patch/track-update.ts";
import { same } from "../../kinds/paths.ts";
import { plainPath, scaleFigures, setReplicas } from "../../kinds/scale.ts";
import type { KubeObject } from "../../lib/object.ts";
import { ApiError, invalid, invalidValue, methodNotAllowed, notFound } from "../../lib/status.ts";
import type { StoredObject } from "../../storage/store.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { parseApplied } from "./apply.ts";
import { normalize, readBody } from "./body.ts";
import type { Core, Loose } from "./core.ts";
import { alreadyTracked, trackingOf } from "./fields.ts";
import { checkNamed } from "./metadata.ts";
import { writeOptions } from "./options.ts";
import { isApply, patchType } from "./patch-types.ts";
import { isBuiltIn, keyOf, subjectOf } from "./stored.ts";
import { updateObject } from "./update.ts";

/**
 * One number of a workload under one name for all kinds: autoscalers and `kubectl scale` know only this.
 * https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/horizontal-pod-autoscaler-v1/
 */
const ScaleKind = kindOf<AutoscalingV1Scale>({
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  resource: "scales",
  singular: "scale",
  namespaced: true,
  schema: "io.k8s.api.autoscaling.v1.Scale",
  verbs: [],
}) as unknown as Kind;

const pathsOf = ({ scale }: Kind): ScalePaths => {
  if (!scale) throw methodNotAllowed();
  return scale;
};

function scaleOf(kind: Kind, object: KubeObject): AutoscalingV1Scale {
  const { replicas, statusReplicas, selector } = scaleFigures(pathsOf(kind), object);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  return {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: statusReplicas, ...(selector && { selector }) },
  };
}

const answer = (kind: Kind, json: string, warnings: readonly string[]): ApiResult => {
  const scale = scaleOf(kind, JSON.parse(json) as KubeObject);
  return { type: "object", code: 200, kind: ScaleKind, json: JSON.stringify(scale), warnings };
};

function find({ store }: Core, { kind, namespace, name }: ApiRequest): StoredObject {
  const stored = store.get(keyOf(kind, namespace, name));
  if (!stored) throw notFound(subjectOf(kind, name));
  return stored;
}

export const getScale = (core: Core, request: ApiRequest): ApiResult =>
  answer(request.kind, find(core, request).json, []);

/** What a scale becomes by a request, with its managedFields. */
type Change = (current: Loose, tracking: Tracking) => Loose;

const tracked = (change: (current: Loose) => Loose): Change => {
  return (current, tracking) => {
    const object = change(current);
    const managedFields = trackUpdate({ ...tracking, old: current, object });
    return { ...object, metadata: { ...object.metadata, managedFields } };
  };
};

export function updateScale(core: Core, request: ApiRequest): ApiResult {
  const { warnings } = core;
  const { fieldValidation } = writeOptions(request);
  const scale = readBody(core.kinds, ScaleKind, request, fieldValidation, warnings);
  return writeScale(
    core,
    request,
    tracked(() => scale),
  );
}

export function patchScale(core: Core, request: ApiRequest): ApiResult {
  if (isApply(request)) return writeScale(core, request, applied(core, request));
  const patchWith = patchType(request);
  const { fieldValidation } = writeOptions(request);
  const change = tracked((current) => {
    const { object, reading } = patchWith(ScaleKind, request, current, fieldValidation);
    return normalize(core.kinds, ScaleKind, object, fieldValidation, core.warnings, reading);
  });
  return writeScale(core, request, change);
}

const applied = (core: Core, request: ApiRequest): Change => {
  const { fieldValidation, force } = writeOptions(request);
  const body = parseApplied(request.body) as Application["applied"];
  return (live, tracking) => {
    const object = apply({ ...tracking, kind: ScaleKind.kind, live, applied: body, force }) as Loose;
    if (!isBuiltIn(request.kind)) checkConvertible(body, object, live);
    return normalize(core.kinds, ScaleKind, object, fieldValidation, core.warnings);
  };
};

/** kube-apiserver has no way to apply the scale of a custom resource, and calls that its own fault. */
function checkConvertible({ metadata: { namespace = "", name = "" } = {} }: KubeObject, now: Loose, live: Loose): void {
  const refuse = (opening: string, place: string) =>
    new ApiError(
      500,
      "",
      `${opening} (${place}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1`,
    );
  if (!live.metadata?.managedFields)
    throw refuse("failed to create manager for existing fields: failed to convert live object", "/");
  if (!same(now.spec, live.spec)) throw refuse("failed to convert new object", `${namespace}/${name}`);
}

function writeScale(core: Core, request: ApiRequest, change: Change): ApiResult {
  const { kind, namespace, name } = request;
  const options = writeOptions(request);
  const { warnings } = core;
  return core.store.write((txn) => {
    const stored = find(core, request);
    const object = JSON.parse(stored.json) as Loose;
    const parent = object.metadata?.managedFields;
    const pathOf = replicasPaths(core, kind);
    const current = scaleOf(kind, object) as unknown as Loose;
    const live = { ...current, metadata: { ...current.metadata, managedFields: scaleManagers(parent, pathOf) } };
    const tracking = trackingOf({ core, kind: ScaleKind, subresource: "scale" }, options.fieldManager);
    const scale = change(live, tracking);
    checkNamed(kind, scale, namespace, name);
    const { replicas = 0 } = (scale as unknown as AutoscalingV1Scale).spec ?? {};
    // Of a custom resource the number is judged with the resource.
    if (replicas < 0 && isBuiltIn(kind))
      throw invalid({ group: "autoscaling", kind: "Scale", name }, [
        invalidValue("spec.replicas", replicas, "must be greater than or equal to 0"),
      ]);
    setReplicas(pathsOf(kind), object, replicas);
    object.metadata = {
      ...object.metadata,
      resourceVersion: scale.metadata?.resourceVersion || object.metadata?.resourceVersion,
      managedFields: parentManagers(parent, scale.metadata?.managedFields, pathOf, kind.apiVersion),
    };
    const json = updateObject(core, txn, request, options, object, stored, warnings, alreadyTracked);
    return answer(kind, json, warnings);
  });
}

const replicasPaths =
  ({ kinds }: Core, { kind }: Kind): ReplicasPath =>
  (apiVersion) => {
    const version = kinds.byKind(apiVersion, kind);
    return version && (version.scale ? plainPath(version.scale.specReplicas) : null);
  };
