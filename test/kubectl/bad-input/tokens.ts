/** Tokens that are no good, or not for this. */
import { CONFIG_MAPS, type Row, refused } from "./row.ts";

const list = `GET ${CONFIG_MAPS}`;
const UNAUTHORIZED = refused(401, "Unauthorized", "Unauthorized");
const may = (who: string, what = 'list resource "configmaps" in API group "" in the namespace "bad"') =>
  refused(403, "Forbidden", `configmaps is forbidden: User "${who}" cannot ${what}`);

export const identities: Row[] = [
  { name: "none", ask: list, as: "nobody", ...may("system:anonymous") },
  {
    name: "none, to discover",
    ask: "GET /api",
    as: "nobody",
    ...refused(403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/api"'),
  },
  { name: "a password", ask: list, as: "nobody", headers: { authorization: "Basic eDp5" }, ...may("system:anonymous") },
  { name: "garbage", ask: list, as: "garbage", ...UNAUTHORIZED },
  { name: "10,000 letters", ask: list, as: "long", ...UNAUTHORIZED },
  { name: "what looks like a JWT", ask: list, as: "jwt", ...UNAUTHORIZED },
  { name: "a JWT without a signature", ask: list, as: "unsigned", ...UNAUTHORIZED },
  { name: "a JWT with other claims than signed", ask: list, as: "tampered", ...UNAUTHORIZED },
  { name: "a ServiceAccount's, expired", ask: list, as: "expired", ...UNAUTHORIZED },
  { name: "a ServiceAccount's, not yet valid", ask: list, as: "early", ...UNAUTHORIZED },
  { name: "a ServiceAccount's for another audience", ask: list, as: "otherAudience", ...UNAUTHORIZED },
  { name: "of a ServiceAccount that is gone", ask: list, as: "gone", ...UNAUTHORIZED },
  {
    name: "a ServiceAccount's without the right",
    ask: list,
    as: "account",
    ...may("system:serviceaccount:default:stays"),
  },
  { name: "a ServiceAccount's of another cluster", ask: list, as: "otherAccount", ...UNAUTHORIZED },
  { name: "the administrator's of another cluster", ask: list, as: "otherAdmin", ...UNAUTHORIZED },
  { name: "a join token", ask: list, as: "join", ...UNAUTHORIZED },
  { name: "a node's, replaced since", ask: list, as: "former", ...UNAUTHORIZED },
  {
    name: "a node's, for a list of all ConfigMaps",
    ask: list,
    as: "ghost",
    ...refused(
      403,
      "Forbidden",
      /^configmaps is forbidden: User "system:node:ghost" cannot list resource "configmaps"/,
    ),
  },
  {
    name: "a node's, for another node",
    ask: "PUT /api/v1/nodes/second/status",
    as: "ghost",
    body: { metadata: { name: "second" } },
    ...refused(403, "Forbidden", /node "ghost" is not allowed to modify node "second"/),
  },
  {
    name: "a node's, for a node of another name",
    ask: "POST /api/v1/nodes",
    as: "ghost",
    body: { metadata: { name: "x" } },
    ...refused(403, "Forbidden", /node "ghost" is not allowed to modify node "x"/),
  },
  {
    name: "a node's, to make join tokens",
    ask: "POST /skerry/tokens",
    as: "ghost",
    body: {},
    ...refused(403, "Forbidden", 'forbidden: User "system:node:ghost" cannot post path "/skerry/tokens"'),
  },
  {
    name: "to be someone else",
    ask: list,
    as: "account",
    headers: { "impersonate-user": "kubernetes-admin" },
    ...refused(
      403,
      "Forbidden",
      'users "kubernetes-admin" is forbidden: User "system:serviceaccount:default:stays" cannot impersonate resource "users" in API group "" at the cluster scope',
    ),
  },
];

const NO_TOKEN = refused(401, "Unauthorized", "the join token is unknown or has expired");
/** Joins: with which token, under which name. */
export const joins = [
  { name: "a revoked token", with: "revokedJoin", as: "x", ...NO_TOKEN },
  { name: "an expired token", with: "expiredJoin", as: "x", ...NO_TOKEN },
  { name: "a token for one machine, used before", with: "usedJoin", as: "x", ...NO_TOKEN },
  { name: "the administrator's token", with: "admin", as: "x", ...NO_TOKEN },
  { name: "a node's token", with: "ghost", as: "x", ...NO_TOKEN },
  {
    name: "the name of a node that lives",
    with: "join",
    as: "second",
    ...refused(
      409,
      "AlreadyExists",
      'a machine named "second" has joined already: choose another name, delete that node, or use a token that allows replacing it',
    ),
  },
  { name: "no name", with: "join", as: "", ...refused(400, "BadRequest", "name is required") },
  {
    name: "a name that is none",
    with: "join",
    as: "Not_Valid",
    ...refused(
      422,
      "Invalid",
      /^Node "Not_Valid" is invalid: name: Invalid value: "Not_Valid": a lowercase RFC 1123 subdomain/,
    ),
  },
  {
    name: "a name that climbs",
    with: "join",
    as: "../x",
    ...refused(422, "Invalid", /^Node "..\/x" is invalid: name: Invalid value: "..\/x": /),
  },
];
