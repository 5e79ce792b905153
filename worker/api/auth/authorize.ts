/** Asks each authorizer in turn, and refuses in Kubernetes' words. */
import { ApiError, forbidden } from "../../lib/status.ts";
import type { User } from "../request.ts";
import type { Attributes, Authorizer, Decision } from "./rules.ts";

export const ADMINISTRATORS = "system:masters";

const administrators: Authorizer = (user) => ({ allowed: user.groups.includes(ADMINISTRATORS), reason: "" });

/** The first that allows wins; otherwise the reasons of all are joined. */
export function anyOf(authorizers: readonly Authorizer[]): Authorizer {
  const all = [administrators, ...authorizers];
  return (user, attributes) => {
    const reasons: string[] = [];
    for (const authorizer of all) {
      const decision: Decision = authorizer(user, attributes);
      if (decision.allowed) return decision;
      if (decision.reason) reasons.push(decision.reason);
    }
    return { allowed: false, reason: reasons.join("\n") };
  };
}

const reasons = new WeakMap<object, string>();

/** Why the authorizers said no, of a 403 of theirs; undefined of any other error. */
export const reasonOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null ? reasons.get(error) : undefined;

function forbiddenError(user: User, attributes: Attributes, reason: string): ApiError {
  const why = reason ? `: ${reason}` : "";
  const who = `User ${JSON.stringify(user.name)} cannot ${attributes.verb}`;
  if (attributes.type === "path")
    return new ApiError(403, "Forbidden", `forbidden: ${who} path ${JSON.stringify(attributes.path)}${why}`, {});
  const { group, resource, subresource, namespace, name } = attributes;
  const what = JSON.stringify(subresource ? `${resource}/${subresource}` : resource);
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : "at the cluster scope";
  return forbidden(
    { group, resource, name },
    `${who} resource ${what} in API group ${JSON.stringify(group)} ${where}${why}`,
  );
}

/** Why it is allowed. Throws the 403 unless it is. */
export function requireAllowed(authorizer: Authorizer, user: User, attributes: Attributes): string {
  const { allowed, reason } = authorizer(user, attributes);
  if (allowed) return reason;
  const error = forbiddenError(user, attributes, reason);
  reasons.set(error, reason);
  throw error;
}
