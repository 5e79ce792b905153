/**
 * Acting as another user, for those who may.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
import { badRequest } from "../../lib/status.ts";
import type { User } from "../request.ts";
import { ANONYMOUS } from "./authenticate.ts";
import { requireAllowed } from "./authorize.ts";
import type { Authorizer, ResourceAttributes } from "./rules.ts";
import { parseServiceAccount, serviceAccountGroups } from "./service-accounts.ts";

const EXTRA_PREFIX = "impersonate-extra-";
const AUTHENTICATION = "authentication.k8s.io/v1";

/** Headers of one name arrive joined by a comma and a space. */
const list = (value: string | null): string[] => (value === null ? [] : value.split(", "));

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

type Wanted = { name: string; uid: string; groups: string[]; extra: Record<string, string[]> };

function wanted(headers: Headers): Wanted | undefined {
  const name = headers.get("impersonate-user") ?? "";
  const groups = list(headers.get("impersonate-group"));
  const uid = headers.get("impersonate-uid") ?? "";
  const extra: Record<string, string[]> = {};
  for (const key of headers.keys())
    if (key.startsWith(EXTRA_PREFIX)) extra[decode(key.slice(EXTRA_PREFIX.length))] = list(headers.get(key));
  if (name) return { name, uid, groups, extra };
  const without = [
    ...groups.map((group) => `{Group  ${group}    }`),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => `{UserExtra  ${value}  ${AUTHENTICATION}  ${key}}`),
    ),
    ...(uid ? [`{UID  ${uid}  ${AUTHENTICATION}  }`] : []),
  ];
  if (without.length) throw badRequest(`requested [${without.join(" ")}] without impersonating a user`);
  return undefined;
}

function needed({ name, uid, groups, extra }: Wanted): ResourceAttributes[] {
  const attribute = (resource: string, value: string, more: Partial<ResourceAttributes> = {}): ResourceAttributes => ({
    type: "resource",
    verb: "impersonate",
    group: "",
    version: "v1",
    resource,
    subresource: "",
    namespace: "",
    name: value,
    ...more,
  });
  const account = parseServiceAccount(name);
  const authentication = { group: "authentication.k8s.io" };
  return [
    account ? attribute("serviceaccounts", account.name, { namespace: account.namespace }) : attribute("users", name),
    ...groups.map((group) => attribute("groups", group)),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => attribute("userextras", value, { ...authentication, subresource: key })),
    ),
    ...(uid ? [attribute("uids", uid, authentication)] : []),
  ];
}

/** The user that the request acts as: the impersonated one, or `user` when the headers name none. Throws the 403. */
export function impersonate(authorizer: Authorizer, user: User, headers: Headers): User {
  const target = wanted(headers);
  if (!target) return user;
  for (const attributes of needed(target)) requireAllowed(authorizer, user, attributes);
  const account = parseServiceAccount(target.name);
  const groups = target.groups.length || !account ? [...target.groups] : serviceAccountGroups(account.namespace);
  const [unauthenticated, authenticated] = ["system:unauthenticated", "system:authenticated"];
  // Whoever is said to have no credential has none.
  if (target.name === ANONYMOUS.name) groups.push(...(groups.includes(unauthenticated) ? [] : [unauthenticated]));
  else if (!groups.includes(authenticated) && !groups.includes(unauthenticated)) groups.push(authenticated);
  return {
    name: target.name,
    groups,
    ...(target.uid ? { uid: target.uid } : {}),
    ...(Object.keys(target.extra).length ? { extra: target.extra } : {}),
  };
}
