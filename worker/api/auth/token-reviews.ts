/** Whose token is it, and who am I: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/ */
import { timestamp } from "../../lib/effects.ts";
import { badRequest } from "../../lib/status.ts";
import type { User } from "../request.ts";
import { aggregate } from "./rules.ts";
import type { Virtual } from "./virtual.ts";

const userInfo = (user: User) => ({
  username: user.name,
  ...(user.uid && { uid: user.uid }),
  groups: user.groups,
  ...(user.extra && { extra: user.extra }),
});

type TokenReviewSpec = { token?: string; audiences?: string[] };

export const tokenReview: Virtual = ({ identify }, { object, presented }) => {
  const spec = (object.spec ?? {}) as TokenReviewSpec;
  if (!spec.token || !presented) throw badRequest("token is required for TokenReview in authentication");
  const identity = identify(presented, spec.audiences?.length ? spec.audiences : undefined);
  if ("refused" in identity)
    return { ...object, status: { user: {}, error: aggregate(["invalid bearer token", identity.refused]) } };
  return {
    ...object,
    status: {
      authenticated: true,
      user: userInfo(identity.user),
      ...(identity.audiences.length && { audiences: identity.audiences }),
    },
  };
};

export const selfSubjectReview: Virtual = ({ effects }, { kind, user }) => ({
  kind: kind.kind,
  apiVersion: kind.apiVersion,
  metadata: { creationTimestamp: timestamp(effects.now()) },
  status: { userInfo: userInfo(user) },
});
