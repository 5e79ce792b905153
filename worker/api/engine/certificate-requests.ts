import type { CertificatesV1CertificateSigningRequest as Request } from "../../kinds/generated/types.ts";
import { timestamp } from "../../lib/effects.ts";
import type { Operation } from "./operation.ts";

/** Says who asks, which nobody can say of themselves, and dates what approvers and signers say. */
export function settleCertificateRequest({ core, user, object, old, action, subresource }: Operation): void {
  const request = object as unknown as Request;
  if (action === "CREATE") return introduce(request, user);
  if (subresource !== "approval" && subresource !== "status") return;
  const before = (old as Request | undefined)?.status?.conditions ?? [];
  const now = timestamp(core.effects.now());
  for (const condition of request.status?.conditions ?? []) {
    condition.lastUpdateTime ??= now;
    const known = before.find(({ type, status }) => type === condition.type && status === condition.status);
    condition.lastTransitionTime ??= known?.lastTransitionTime ?? now;
  }
}

function introduce({ spec }: Request, { name, uid, groups, extra }: Operation["user"]): void {
  if (!spec) return;
  spec.username = name;
  spec.groups = [...groups];
  if (uid) spec.uid = uid;
  else delete spec.uid;
  if (extra && Object.keys(extra).length > 0) spec.extra = structuredClone(extra);
  else delete spec.extra;
}
