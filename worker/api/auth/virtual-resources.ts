/** Which resources are answered without storage, and how their bodies are read. */
import { kindOf } from "../../kinds/define-kind.ts";
import type { Kind } from "../../kinds/kind.ts";
import { trackUpdate } from "../../kinds/patch/track-update.ts";
import type { Kinds } from "../../kinds/registry.ts";
import type { KubeObject } from "../../lib/object.ts";
import { badRequest } from "../../lib/status.ts";
import { readBody } from "../engine/body.ts";
import { writeOptions } from "../engine/options.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
} from "./access-reviews.ts";
import type { Presented } from "./authenticate.ts";
import { completeTokenRequest, tokenRequest } from "./token-requests.ts";
import { selfSubjectReview, tokenReview } from "./token-reviews.ts";
import type { Context, Virtual } from "./virtual.ts";

/** The body of `serviceaccounts/token`, which is no resource of its own. */
const TokenRequest = kindOf({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenRequest",
  resource: "tokenrequests",
  singular: "tokenrequest",
  namespaced: true,
  schema: "io.k8s.api.authentication.v1.TokenRequest",
  verbs: ["create"],
});

const VIRTUAL: Readonly<Record<string, { ask: Virtual; body?: Kind; complete?(object: KubeObject): void }>> = {
  "tokenreviews.authentication.k8s.io": { ask: tokenReview },
  "selfsubjectreviews.authentication.k8s.io": { ask: selfSubjectReview },
  "subjectaccessreviews.authorization.k8s.io": { ask: subjectAccessReview },
  "localsubjectaccessreviews.authorization.k8s.io": { ask: localSubjectAccessReview },
  "selfsubjectaccessreviews.authorization.k8s.io": { ask: selfSubjectAccessReview },
  "selfsubjectrulesreviews.authorization.k8s.io": { ask: selfSubjectRulesReview },
  "serviceaccounts/token": { ask: tokenRequest, body: TokenRequest, complete: completeTokenRequest },
};

const virtualOf = ({ kind, subresource }: Pick<ApiRequest, "kind" | "subresource">) =>
  VIRTUAL[subresource ? `${kind.groupResource}/${subresource}` : kind.groupResource];

/** The token inside a TokenReview's body, if the path is a TokenReview's and the body has one. */
export function reviewedToken(path: string, body: () => string): string | undefined {
  if (!path.endsWith("/tokenreviews")) return undefined;
  try {
    const token = (JSON.parse(body()) as { spec?: { token?: unknown } } | null)?.spec?.token;
    return typeof token === "string" ? token : undefined;
  } catch {
    return undefined;
  }
}

/** A body may name the namespace that the path names, and none where the path has none. */
function placeIn(namespace: string, object: KubeObject): void {
  const own = object.metadata?.namespace;
  if (namespace === "") delete object.metadata?.namespace;
  else if (own && own !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  else object.metadata = { ...object.metadata, namespace };
}

/** Answers when the resource is virtual. The promise, if any, only signs what was decided. */
export function askVirtual(
  context: Context,
  kinds: Kinds,
  request: ApiRequest,
  reviewed: Presented | undefined,
): ApiResult | Promise<ApiResult> | undefined {
  const virtual = virtualOf(request);
  if (!virtual) return undefined;
  const kind = virtual.body ?? request.kind;
  const warnings: string[] = [];
  const options = writeOptions(request);
  const object = readBody(kinds, kind, request, options.fieldValidation, warnings);
  // An answer is not asked with.
  delete object.status;
  placeIn(request.namespace, object);
  virtual.complete?.(object);
  const managedFields = trackUpdate({
    schema: kind.schema,
    apiVersion: kind.apiVersion,
    manager: options.fieldManager,
    subresource: request.subresource,
    ownable: (fields) => fields,
    now: context.effects.now(),
    old: undefined,
    object,
  });
  if (managedFields) object.metadata = { ...object.metadata, managedFields };
  const { user, namespace, name } = request;
  const answer = virtual.ask(context, { kind, user, namespace, name, object, presented: reviewed });
  const result = (body: object): ApiResult => ({
    type: "object",
    code: 201,
    kind,
    json: JSON.stringify(body),
    warnings,
  });
  return answer instanceof Promise ? answer.then(result) : result(answer);
}
