import type { MutatingAdmissionPolicyBinding } from "../../kinds/admissionregistration/mutating-admission-policy.ts";
import type { ValidatingAdmissionPolicy } from "../../kinds/admissionregistration/validating-admission-policy.ts";
import type { AdmissionregistrationV1ParamKind as ParamKind } from "../../kinds/generated/types.ts";
import { same } from "../../kinds/paths.ts";
import { forbiddenField, invalid } from "../../lib/status.ts";
import { ADMINISTRATORS } from "../auth/authorize.ts";
import type { Operation } from "../engine/operation.ts";
import type { User } from "../request.ts";
import type { Admission } from "./admission.ts";

const GROUP = "admissionregistration.k8s.io";
const POLICIES = ["validatingadmissionpolicies", "mutatingadmissionpolicies"];
const BINDINGS = ["validatingadmissionpolicybindings", "mutatingadmissionpolicybindings"];

/** Who makes a policy look at parameters must be allowed to read them. */
export const paramAccess: Admission = {
  name: "ParamAccess",
  admits(operation) {
    const { kind, object, action, user, core, subresource } = operation;
    if (kind.group !== GROUP || action === "DELETE" || subresource) return;
    if (!core.authorizer || user.groups.includes(ADMINISTRATORS)) return;
    const [field, problem] = POLICIES.includes(kind.resource)
      ? ["spec.paramKind", kindProblem(operation)]
      : BINDINGS.includes(kind.resource)
        ? ["spec.paramRef", refProblem(operation)]
        : [];
    if (field && problem)
      throw invalid({ group: kind.group, kind: kind.kind, name: object.metadata?.name ?? "" }, [
        forbiddenField(field, problem),
      ]);
  },
};

function kindProblem(operation: Operation): string | undefined {
  const now = operation.object as ValidatingAdmissionPolicy;
  const before = operation.old as ValidatingAdmissionPolicy | undefined;
  const kind = now.spec?.paramKind;
  if (!kind || same(kind, before?.spec?.paramKind)) return undefined;
  const asked = { verb: "get", ...resourceOf(kind, operation), name: "*", namespace: "*" };
  if (mayRead(operation, asked)) return undefined;
  return `user ${userText(operation.user)} must have "get" permission on all objects of the referenced paramKind (kind=${kind.kind}, apiVersion=${kind.apiVersion})`;
}

function refProblem(operation: Operation): string | undefined {
  const { kind, core, user } = operation;
  const now = (operation.object as MutatingAdmissionPolicyBinding).spec;
  const before = (operation.old as MutatingAdmissionPolicyBinding | undefined)?.spec;
  const ref = now?.paramRef;
  if (!ref || (same(ref, before?.paramRef) && now.policyName === before?.policyName)) return undefined;
  const policies = core.kinds.find(
    kind.group,
    kind.version,
    kind.resource.replace(/bindings$/, "").replace(/y$/, "ies"),
  );
  const policy =
    policies && (core.view.get(policies, "", now.policyName ?? "") as ValidatingAdmissionPolicy | undefined);
  const paramKind = policy?.spec?.paramKind;
  const verb = ref.name ? "get" : "list";
  const resource = paramKind ? resourceOf(paramKind, operation) : ANY;
  if (mayRead(operation, { verb, ...resource, name: ref.name ?? "", namespace: ref.namespace ?? "" })) return undefined;
  const why = `to determine minimum required permissions and user ${userText(user)} does not have "${verb}" permission for all groups, versions and resources`;
  if (!policy) return `unable to get policy ${now.policyName} ${why}`;
  if (paramKind && resource.resource === "*")
    return `unable to resolve paramKind &{${paramKind.apiVersion} ${paramKind.kind}} ${why}`;
  return `user ${userText(user)} does not have "${verb}" permission on the object referenced by paramRef`;
}

type Resource = { group: string; version: string; resource: string };
const ANY: Resource = { group: "*", version: "*", resource: "*" };

function resourceOf({ apiVersion = "", kind = "" }: ParamKind, { core }: Operation): Resource {
  const slash = apiVersion.indexOf("/");
  const resource = core.view.kind(apiVersion, kind)?.resource ?? "*";
  return { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1), resource };
}

const mayRead = (
  { core, user }: Operation,
  asked: Resource & { verb: string; name: string; namespace: string },
): boolean => core.authorizer?.(user, { type: "resource", subresource: "", ...asked }).allowed ?? true;

/** As Go prints a user. */
function userText({ name, uid = "", groups, extra = {} }: User): string {
  const more = Object.entries(extra).map(([key, values]) => `${key}:[${values.join(" ")}]`);
  return `&{${name} ${uid} [${groups.join(" ")}] map[${more.join(" ")}]}`;
}
