/** AdmissionReview: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response */

import type { Kind } from "../../../kinds/kind.ts";
import { fromBase64 } from "../../../lib/bytes.ts";
import { fnv32 } from "../../../lib/fnv.ts";
import type { KubeObject } from "../../../lib/object.ts";
import { isTrue } from "../../../lib/query.ts";
import { ApiError, internalError, type Status } from "../../../lib/status.ts";
import type { Callout, CalloutAnswer } from "../../callouts/callouts.ts";
import { fromStored } from "../../engine/conversions.ts";
import type { Operation } from "../../engine/operation.ts";
import { isApply } from "../../engine/patch-types.ts";
import type { ApiRequest } from "../../request.ts";
import type { Hook } from "./hooks.ts";

const VERSIONS = ["v1", "v1beta1"];
const DEFAULT_TIMEOUT_S = 10;

/** What a webhook said; `patch` are the operations of a JSON patch. */
export type Verdict = {
  allowed: boolean;
  status?: Partial<Status>;
  patch?: string;
  warnings: readonly string[];
  auditAnnotations: Readonly<Record<string, string>>;
};

/** The webhook could not be asked, or did not answer as it must. */
export class WebhookFailed extends Error {
  override readonly name = "WebhookFailed";
}

type Objects = { object: KubeObject | null; old: KubeObject | null };

/** The question about `objects`, which are of `kind`'s version. Its uid is its own, so that equal questions are one. */
export function question(hook: Hook, kind: Kind, operation: Operation, { object, old }: Objects): Callout {
  const { action, name, namespace, subresource, user, dryRun, request } = operation;
  const version = hook.admissionReviewVersions.find((offered) => VERSIONS.includes(offered)) ?? "v1";
  const gvk = ({ group, version: v, kind: k }: Kind) => ({ group, version: v, kind: k });
  const gvr = ({ group, version: v, resource }: Kind) => ({ group, version: v, resource });
  const requested = operation.kind;
  // What a connection is opened with is of a kind of its own.
  const connected = action === "CONNECT" && { group: "", version: "v1", kind: object?.kind };
  const asked = {
    kind: connected || gvk(kind),
    resource: gvr(kind),
    ...(subresource && { subResource: subresource }),
    requestKind: connected || gvk(requested),
    requestResource: gvr(requested),
    ...(subresource && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(namespace && { namespace }),
    operation: action,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra && { extra: user.extra }),
    },
    object,
    oldObject: old,
    dryRun,
    options: optionsOf(request, action),
  };
  const text = JSON.stringify(asked);
  return {
    key: `${hook.id} ${text}`,
    client: hook.clientConfig,
    timeoutMs: (hook.timeoutSeconds ?? DEFAULT_TIMEOUT_S) * 1000,
    body: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/${version}","request":{"uid":"${uidOf(text)}",${text.slice(1)}}`,
  };
}

/** The object as a webhook of this version sees it. */
export const seenAs = (kind: Kind, object: Readonly<KubeObject>): KubeObject =>
  object.apiVersion === kind.apiVersion ? object : fromStored(kind, object);

/** A uid made from what is asked (FNV-1a, four lanes): it only has to come back. */
function uidOf(text: string): string {
  const bases = [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b];
  const hex = bases.map((basis) => fnv32(text, basis).toString(16).padStart(8, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

const OPTIONS: Readonly<Record<string, string>> = {
  CREATE: "CreateOptions",
  UPDATE: "UpdateOptions",
  DELETE: "DeleteOptions",
};

export function optionsOf(request: ApiRequest, action: Operation["action"]): object | null {
  const kind = request.verb === "patch" ? "PatchOptions" : OPTIONS[action];
  if (!kind) return null;
  const { query } = request;
  const dryRun = query.getAll("dryRun");
  const manager = query.get("fieldManager");
  const validation = query.get("fieldValidation");
  return {
    kind,
    apiVersion: "meta.k8s.io/v1",
    ...(isApply(request) && query.get("force") !== null && { force: isTrue(query.get("force")) }),
    ...(dryRun.length > 0 && { dryRun }),
    ...(manager && { fieldManager: manager }),
    ...(validation && { fieldValidation: validation }),
  };
}

/** Throws WebhookFailed for what is no answer. */
export function verdict(answer: CalloutAnswer, { body }: Callout): Verdict {
  if ("failed" in answer) throw new WebhookFailed(`failed to call webhook: ${answer.failed}`);
  if (answer.status < 200 || answer.status > 299)
    throw new WebhookFailed(
      `failed to call webhook: the server responded with the status code ${answer.status} but did not return more information`,
    );
  const invalid = (why: string) => new WebhookFailed(`received invalid webhook response: ${why}`);
  const asked = JSON.parse(body) as { apiVersion: string; request: { uid: string } };
  const said = parse(answer.body);
  if (!said || typeof said !== "object") throw invalid("the body is no JSON object");
  const { apiVersion, kind, response } = said as { apiVersion?: string; kind?: string; response?: Response };
  if (apiVersion !== asked.apiVersion || kind !== "AdmissionReview")
    throw invalid(
      `expected webhook response of ${asked.apiVersion}, Kind=AdmissionReview, got ${apiVersion}, Kind=${kind}`,
    );
  if (!response) throw invalid("webhook response was absent");
  if (apiVersion === "admission.k8s.io/v1" && response.uid !== asked.request.uid)
    throw invalid(
      `expected response.uid=${JSON.stringify(asked.request.uid)}, got ${JSON.stringify(response.uid ?? "")}`,
    );
  if (response.patch && apiVersion === "admission.k8s.io/v1" && response.patchType !== "JSONPatch")
    throw invalid(`webhook returned invalid response.patchType of ${JSON.stringify(response.patchType ?? "")}`);
  return {
    allowed: response.allowed === true,
    ...(response.status && { status: response.status }),
    ...(response.patch && { patch: decodePatch(response.patch) }),
    warnings: response.warnings ?? [],
    auditAnnotations: response.auditAnnotations ?? {},
  };
}

type Response = {
  uid?: string;
  allowed?: boolean;
  status?: Partial<Status>;
  patch?: string;
  patchType?: string;
  warnings?: string[];
  auditAnnotations?: Record<string, string>;
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function decodePatch(base64: string): string {
  try {
    return new TextDecoder().decode(fromBase64(base64));
  } catch {
    throw new WebhookFailed("received undecodable patch in webhook response");
  }
}

/** What the client is told when a webhook says no. */
export function denial({ name }: Hook, status: Partial<Status> = {}): ApiError {
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = status.message || status.reason;
  const code = status.code && status.code >= 400 ? status.code : 400;
  return new ApiError(code, status.reason ?? "", why ? `${by}: ${why}` : `${by} without explanation`, status.details);
}

export const callFailure = ({ name }: Hook, { message }: WebhookFailed): ApiError =>
  internalError(`failed calling webhook ${JSON.stringify(name)}: ${message}`);
