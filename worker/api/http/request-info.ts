import { isTrue } from "../../lib/query.ts";
import { type PathAndQuery, pathAndQuery } from "../../lib/url.ts";

/**
 * What a URL asks for, before it is known whether such a thing exists: the input of authorization.
 * The forms of paths: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
export type PathInfo = { type: "path"; verb: string; path: string };

export type ResourceInfo = {
  type: "resource";
  verb: string;
  path: string;
  group: string;
  version: string;
  resource: string;
  /** Of `namespaces` themselves it is the namespace's own name, so that a Role in it can grant access to it. */
  namespace: string;
  /** The one object meant: from the path, or pinned by the field selector of a list. */
  name: string;
  /** The name in the path. */
  pathName: string;
  subresource: string;
  /** What follows the subresource, as `proxy` has it; "" when nothing does. */
  rest: string;
  /** True when the path names a namespace above the resource. */
  inNamespace: boolean;
  fieldSelector: string;
};

export type RequestInfo = PathInfo | ResourceInfo;

/** A request, and what its URL asks for. */
export type Asked = { request: Request; url: PathAndQuery; info: RequestInfo };

export function asked(request: Request): Asked {
  const url = pathAndQuery(request.url);
  return { request, url, info: requestInfo(request.method, url) };
}

const VERBS: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Subresources of a namespace; anything else after its name is a resource inside it. */
const NAMESPACE_SUBRESOURCES = new Set(["status", "finalize"]);

/** The name that a field selector pins, or "". */
function pinnedName(fieldSelector: string): string {
  const term = fieldSelector.split(",").find((part) => /^metadata\.name==?/.test(part));
  return term?.replace(/^metadata\.name==?/, "") ?? "";
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function requestInfo(method: string, url: Omit<PathAndQuery, "search">): RequestInfo {
  const path = url.pathname;
  const methodVerb = VERBS[method] ?? method.toLowerCase();
  // A slash is one, escaped or not, and one that follows another begins an empty part.
  const parts = decode(path)
    .replace(/^\/+|\/+$/g, "")
    .split("/");
  const grouped = parts[0] === "apis";
  const least = grouped ? 4 : 3;
  if ((!grouped && parts[0] !== "api") || parts.length < least)
    return { type: "path", verb: method.toLowerCase(), path };

  const group = grouped ? (parts[1] as string) : "";
  const version = parts[least - 2] as string;
  let rest = parts.slice(least - 1);
  let verb = methodVerb;
  if (rest[0] === "watch" && rest.length > 1) {
    verb = "watch";
    rest = rest.slice(1);
  }
  let namespace = "";
  let inNamespace = false;
  if (rest[0] === "namespaces" && rest.length > 1) {
    namespace = rest[1] as string;
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] as string)) {
      rest = rest.slice(2);
      inNamespace = true;
    }
  }
  const [resource = "", pathName = "", subresource = "", ...more] = rest;
  const fieldSelector = url.searchParams.get("fieldSelector") ?? "";
  let name = pathName;
  if (name === "" && verb === "get") {
    verb = isTrue(url.searchParams.get("watch")) ? "watch" : "list";
    name = pinnedName(fieldSelector);
  } else if (name === "" && verb === "delete") {
    verb = "deletecollection";
    name = pinnedName(fieldSelector);
  }
  return {
    type: "resource",
    verb,
    path,
    group,
    version,
    resource,
    namespace,
    name,
    pathName,
    subresource,
    rest: more.join("/"),
    inNamespace,
    fieldSelector,
  };
}
