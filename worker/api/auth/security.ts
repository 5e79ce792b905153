import type { Store } from "../../storage/store.ts";
import type { Security } from "../parts.ts";
import { anyOf } from "./authorize.ts";
import { escalationCheck } from "./escalation.ts";
import { nodeAuthorizer } from "./node-authorizer.ts";
import { Rbac } from "./rbac.ts";

/** Authorization over one store: administrators, then nodes, then RBAC. */
export function createSecurity(store: Store): Security {
  const rbac = new Rbac(store);
  const authorizer = anyOf([nodeAuthorizer(store), (user, attributes) => rbac.authorize(user, attributes)]);
  return { rbac, authorizer, checkEscalation: escalationCheck(rbac, authorizer) };
}
