/** From what a URL asks for to what is served, or the 404 or 405. */

import { BUILTIN_GROUPS } from "../../kinds/groups.ts";
import type { Kind } from "../../kinds/kind.ts";
import type { Kinds } from "../../kinds/registry.ts";
import { ApiError, methodNotAllowed } from "../../lib/status.ts";
import type { Verb } from "../request.ts";
import type { ResourceInfo } from "./request-info.ts";

export type Route = { kind: Kind; verb: Verb; namespace: string; name: string; subresource: string };

const unknownResource = () => new ApiError(404, "NotFound", "the server could not find the requested resource", {});

/** Thrown for paths that nothing serves: answered in plain text, as Go's file server would. */
export class PageNotFound extends Error {
  override readonly name = "PageNotFound";
}

const OBJECT_VERBS: Readonly<Record<string, Verb>> = { GET: "get", PUT: "update", PATCH: "patch", DELETE: "delete" };
const COLLECTION_VERBS: Readonly<Record<string, Verb>> = { GET: "list", POST: "create", DELETE: "deletecollection" };
const SUBRESOURCE_VERBS: Readonly<Record<string, Verb>> = { ...OBJECT_VERBS, POST: "create" };
/** Methods beyond these are a program's own affair. */
const PROXY_VERBS: Readonly<Record<string, Verb>> = { ...SUBRESOURCE_VERBS, HEAD: "get", OPTIONS: "get" };

/** Subresources whose path goes on. */
const OPEN_ENDED = new Set(["proxy"]);

function allowed(verb: Verb | undefined, verbs: readonly string[]): Verb {
  if (!verb || !verbs.includes(verb)) throw methodNotAllowed();
  return verb;
}

/** Groups that are built in answer for all below them. */
export const unserved = (group: string): Error => (BUILTIN_GROUPS.has(group) ? unknownResource() : new PageNotFound());

export function route(kinds: Kinds, method: string, info: ResourceInfo): Route {
  const kind = kinds.find(info.group, info.version, info.resource);
  if (!kind) {
    throw unserved(info.group);
  }
  const { namespace, pathName, subresource, inNamespace } = info;
  const place = { kind, namespace: kind.namespaced ? namespace : "", name: pathName, subresource };
  if (inNamespace && !kind.namespaced) throw unknownResource();
  if (info.rest && !OPEN_ENDED.has(subresource)) throw unknownResource();
  if (pathName === "" || info.verb === "watch") {
    if (method !== "GET" && kind.namespaced && !inNamespace) throw methodNotAllowed();
    const verb = method === "GET" && info.verb === "watch" ? "watch" : COLLECTION_VERBS[method];
    return { ...place, verb: allowed(verb, kind.verbs) };
  }
  if (kind.namespaced && !inNamespace) throw unknownResource();
  if (subresource === "" && !kind.verbs.includes("get")) throw unknownResource();
  if (subresource === "") return { ...place, verb: allowed(OBJECT_VERBS[method], kind.verbs) };
  const found = kind.subresources.find((candidate) => candidate.name === subresource);
  if (!found) throw unknownResource();
  const verbs = OPEN_ENDED.has(subresource) ? PROXY_VERBS : SUBRESOURCE_VERBS;
  return { ...place, verb: allowed(verbs[method], found.verbs) };
}
