import { kindOf } from "../../kinds/define-kind.ts";
import type { AutoscalingV1Scale } from "../../kinds/generated/types.ts";
import type { Kind, ScalePaths } from "../../kinds/kind.ts";
import { read } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { formatLabels, formatSelector, type LabelSelector, type Labels } from "../../lib/selectors.ts";
import { invalid, invalidValue, methodNotAllowed, notFound } from "../../lib/status.ts";
import type { StoredObject } from "../../storage/store.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { normalize, readBody } from "./body.ts";
import type { Core, Loose } from "./core.ts";
import { checkNamed } from "./metadata.ts";
import { writeOptions } from "./options.ts";
import { patchType } from "./patch-types.ts";
import { keyOf, subjectOf } from "./stored.ts";
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

/** `.spec.replicas` as `read` wants it. */
const plain = (path: string) => path.replace(/^\./, "");

function scaleOf(kind: Kind, object: KubeObject): AutoscalingV1Scale {
  const { specReplicas, statusReplicas, selector } = pathsOf(kind);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const number = (path: string) => Number(read(object, plain(path)) ?? 0);
  const selectorText = selector ? textOf(read(object, plain(selector))) : "";
  return {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: number(specReplicas) },
    status: { replicas: number(statusReplicas), ...(selectorText && { selector: selectorText }) },
  };
}

/** Selectors come as text, as plain labels or as a LabelSelector. */
function textOf(selector: unknown): string {
  if (typeof selector === "string") return selector;
  if (typeof selector !== "object" || selector === null) return "";
  const { matchLabels, matchExpressions } = selector as LabelSelector;
  const isSelector = typeof matchLabels === "object" || Array.isArray(matchExpressions);
  return isSelector ? formatSelector(selector as LabelSelector) : formatLabels(selector as Labels);
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

export function updateScale(core: Core, request: ApiRequest): ApiResult {
  const { warnings } = core;
  const { fieldValidation } = writeOptions(request);
  const scale = readBody(core.kinds, ScaleKind, request, fieldValidation, warnings);
  return writeScale(core, request, () => scale, warnings);
}

export function patchScale(core: Core, request: ApiRequest): ApiResult {
  const type = patchType(request);
  const { warnings } = core;
  const { fieldValidation } = writeOptions(request);
  const change = type.read(ScaleKind, request.body);
  const patched = (current: Loose) => normalize(core.kinds, ScaleKind, change(current), fieldValidation, warnings);
  return writeScale(core, request, patched, warnings);
}

function writeScale(core: Core, request: ApiRequest, change: (current: Loose) => Loose, warnings: string[]): ApiResult {
  const { kind, namespace, name } = request;
  return core.store.write((txn) => {
    const stored = find(core, request);
    const object = JSON.parse(stored.json) as Loose;
    const scale = change(scaleOf(kind, object) as unknown as Loose) as unknown as AutoscalingV1Scale;
    checkNamed(scale as KubeObject, namespace, name);
    const replicas = scale.spec?.replicas ?? 0;
    if (replicas < 0)
      throw invalid({ group: "autoscaling", kind: "Scale", name }, [
        invalidValue("spec.replicas", replicas, "must be greater than or equal to 0"),
      ]);
    set(object, plain(pathsOf(kind).specReplicas), replicas);
    object.metadata = {
      ...object.metadata,
      resourceVersion: scale.metadata?.resourceVersion || object.metadata?.resourceVersion,
    };
    const json = updateObject(core, txn, request, writeOptions(request), object, stored, warnings);
    return answer(kind, json, warnings);
  });
}

function set(object: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split(".");
  const last = steps.pop() ?? "";
  let owner = object;
  for (const step of steps) {
    owner[step] ??= {};
    owner = owner[step] as Record<string, unknown>;
  }
  owner[last] = value;
}
