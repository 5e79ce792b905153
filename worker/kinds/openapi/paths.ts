import { definitionOfKind } from "../generated/schemas.ts";
import type { Kind, Subresource } from "../kind.ts";
import {
  CUSTOM_TYPES,
  META,
  type Method,
  OBJECT_TYPES,
  type Operation,
  type Parameter,
  pathItem,
  STREAM_TYPES,
} from "./operations.ts";
import { definitionName, type Json, type OpenApiVersion } from "./schemas.ts";

const dryRun: Parameter = ["dryRun", "string"];
const writing: readonly Parameter[] = [dryRun, ["fieldManager", "string"], ["fieldValidation", "string"]];
const patching: readonly Parameter[] = [...writing, ["force", "boolean"]];
const deleting: readonly Parameter[] = [
  dryRun,
  ["gracePeriodSeconds", "integer"],
  ["ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"],
  ["orphanDependents", "boolean"],
  ["propagationPolicy", "string"],
];
const selecting: readonly Parameter[] = [
  ["continue", "string"],
  ["fieldSelector", "string"],
  ["labelSelector", "string"],
  ["limit", "integer"],
  ["resourceVersion", "string"],
  ["resourceVersionMatch", "string"],
  ["sendInitialEvents", "boolean"],
  ["timeoutSeconds", "integer"],
];
const listing: readonly Parameter[] = [["allowWatchBookmarks", "boolean"], ...selecting, ["watch", "boolean"]];

const streams: readonly Parameter[] = (["stderr", "stdin", "stdout", "tty"] as const).map((name) => [name, "boolean"]);
/** What subresources that open a connection take, and the name of their options. */
const connections: Readonly<Record<string, readonly Parameter[]>> = {
  attach: [["container", "string"], ...streams],
  exec: [["command", "string"], ["container", "string"], ...streams],
  portforward: [["ports", "integer"]],
  proxy: [["path", "string"]],
};
const optionsOf: Readonly<Record<string, string>> = {
  attach: "AttachOptions",
  exec: "ExecOptions",
  portforward: "PortForwardOptions",
  proxy: "ProxyOptions",
};
const logging: readonly Parameter[] = [
  ["container", "string"],
  ["follow", "boolean"],
  ["insecureSkipTLSVerifyBackend", "boolean"],
  ["limitBytes", "integer"],
  ["previous", "boolean"],
  ["sinceSeconds", "integer"],
  ["stream", "string"],
  ["tailLines", "integer"],
  ["timestamps", "boolean"],
];

const pascal = (text: string) =>
  text.replace(/(?:^|[^A-Za-z0-9])([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase());
/** The group as ids of operations name it. */
export const groupTitle = (group: string) => pascal(group.replace(/\.k8s\.io$/, "") || "core");
export const tagOf = (title: string) => title.replace(/^./, (c) => c.toLowerCase());
const withArticle = (noun: string) => (noun.endsWith("s") ? noun : /^[AEIOU]/i.test(noun) ? `an ${noun}` : `a ${noun}`);

type Verb = "list" | "create" | "deletecollection" | "get" | "update" | "patch" | "delete";
const METHODS: Readonly<Record<Verb, Method>> = {
  list: "get",
  create: "post",
  deletecollection: "delete",
  get: "get",
  update: "put",
  patch: "patch",
  delete: "delete",
};
const ACTIONS: Partial<Record<Verb, string>> = { create: "post", update: "put" };
const IDS: Readonly<Record<Verb, string>> = {
  list: "list",
  create: "create",
  deletecollection: "delete",
  get: "read",
  update: "replace",
  patch: "patch",
  delete: "delete",
};
const CODES: Partial<Record<Verb, readonly number[]>> = {
  create: [200, 201, 202],
  update: [200, 201],
  patch: [200, 201],
  delete: [200, 202],
};
const PARAMETERS: Partial<Record<Verb, readonly Parameter[]>> = {
  list: listing,
  create: writing,
  deletecollection: [...selecting, ...deleting],
  update: writing,
  patch: patching,
  delete: deleting,
};

/** Kinds of which a delete answers the object as it last was. */
const ANSWERS_DELETED = new Set([
  "pods",
  "podtemplates",
  "resourcequotas",
  "persistentvolumes",
  "persistentvolumeclaims",
  "serviceaccounts",
  "services",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "storageclasses.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "volumeattributesclasses.storage.k8s.io",
  "deviceclasses.resource.k8s.io",
  "resourceclaims.resource.k8s.io",
  "resourceclaimtemplates.resource.k8s.io",
  "resourceslices.resource.k8s.io",
]);

/** The paths of one kind, with their operations. */
export function* pathsOf(version: OpenApiVersion, kind: Kind): Iterable<[path: string, item: Json]> {
  const root = `${kind.group ? "/apis" : "/api"}/${kind.apiVersion}`;
  const within = kind.namespaced ? `namespaces/{namespace}/${kind.resource}` : kind.resource;
  const base = `${root}/${within}`;
  const item = (path: string, verbs: readonly Verb[], sub?: Subresource): [string, Json] | undefined => {
    const known = (sub ?? kind).verbs;
    const all = verbs.filter((verb) => known.includes(verb));
    if (!all.length) return undefined;
    const operations = all.map((verb) => [
      METHODS[verb],
      describe(kind, verb, sub, path === `${root}/${kind.resource}`),
    ]);
    return [path, pathItem(version, path, kind, Object.fromEntries(operations))];
  };
  const found = [
    item(base, ["list", "create", "deletecollection"]),
    item(`${base}/{name}`, ["get", "update", "patch", "delete"]),
    kind.namespaced ? item(`${root}/${kind.resource}`, ["list"]) : undefined,
    ...watches(version, kind, root, within),
    ...kind.subresources.flatMap((sub) =>
      sub.name in connections
        ? connectionsOf(version, kind, `${base}/{name}/${sub.name}`, sub)
        : [item(`${base}/{name}/${sub.name}`, ["get", "create", "update", "patch", "delete"], sub)],
    ),
  ];
  for (const entry of found) if (entry) yield entry;
}

const idOf = (kind: Kind, [begins, ...between]: readonly string[], isNamespaced: boolean, ends: string) =>
  [
    begins,
    groupTitle(kind.group),
    pascal(kind.version),
    ...between,
    isNamespaced ? "Namespaced" : "",
    kind.kind,
    ends,
  ].join("");
const tag = (kind: Kind) => `${tagOf(groupTitle(kind.group))}_${kind.version}`;
const isCustom = (kind: Kind) => !kind.schema.name;

function describe(kind: Kind, verb: Verb, sub: Subresource | undefined, isAll: boolean): Operation {
  const { group, version: v, kind: name } = sub?.body ?? kind;
  const own = definitionName(kind);
  const object = sub?.body ? definitionOfKind[`${group}/${v}/${name}`] : own;
  const of = sub ? `${sub.name} of ` : "";
  const description: Readonly<Record<Verb, string>> = {
    list: `list ${kind.verbs.includes("watch") ? "or watch " : ""}objects of kind ${kind.kind}`,
    create: `create ${of}${withArticle(kind.kind)}`,
    deletecollection: `delete collection of ${kind.kind}`,
    get: `read ${of}the specified ${kind.kind}`,
    update: `replace ${of}the specified ${kind.kind}`,
    patch: `partially update ${of}the specified ${kind.kind}`,
    delete: `delete ${of}${withArticle(kind.kind)}`,
  };
  const isLog = sub?.name === "log";
  const types = isCustom(kind) ? CUSTOM_TYPES : isLog ? ["text/plain", ...OBJECT_TYPES] : OBJECT_TYPES;
  const isDelete = verb === "delete" || verb === "deletecollection";
  const answers =
    isDelete && !(verb === "delete" && ANSWERS_DELETED.has(kind.groupResource)) ? `${META}Status` : object;
  const definition = verb === "list" ? `${own}List` : isLog ? undefined : answers;
  const ends = isAll && kind.namespaced ? "ForAllNamespaces" : pascal(sub?.name ?? "");
  const body = bodyOf(kind, verb, object);
  return {
    id: idOf(kind, [IDS[verb], verb === "deletecollection" ? "Collection" : ""], kind.namespaced && !isAll, ends),
    description: description[verb],
    tag: tag(kind),
    parameters: isLog ? logging : parametersOf(kind, verb),
    ...(body && { body }),
    answer: {
      ...(definition && { definition }),
      codes: verb === "patch" && isCustom(kind) ? [200] : (CODES[verb] ?? [200]),
      types: verb === "list" && !isCustom(kind) ? [...types, ...STREAM_TYPES] : types,
    },
    consumes: verb === "patch" ? patchTypes(kind) : isCustom(kind) ? CUSTOM_TYPES : ["*/*"],
    action: { name: ACTIONS[verb] ?? verb, group, version: v, kind: name },
  };
}

/** What the server says of custom resources, which it installs in another way. */
const CUSTOM_PARAMETERS: Partial<Record<Verb, readonly Parameter[]>> = {
  deletecollection: listing,
  get: [["resourceVersion", "string"]],
};

const parametersOf = (kind: Kind, verb: Verb) => (isCustom(kind) && CUSTOM_PARAMETERS[verb]) || PARAMETERS[verb];

function bodyOf(kind: Kind, verb: Verb, object: string | undefined): Operation["body"] {
  const types = isCustom(kind) ? CUSTOM_TYPES : ["*/*"];
  if (verb === "patch") return { definition: `${META}Patch`, required: true, types: patchTypes(kind) };
  if (verb === "deletecollection" && isCustom(kind)) return undefined;
  if (verb === "delete" || verb === "deletecollection")
    return { definition: `${META}DeleteOptions`, required: false, types };
  return (verb === "create" || verb === "update") && object ? { definition: object, required: true, types } : undefined;
}

/** Custom resources have no strategic merge patch. */
const patchTypes = (kind: Kind) => [
  "application/json-patch+json",
  "application/merge-patch+json",
  ...(kind.schema.name ? ["application/strategic-merge-patch+json"] : []),
  "application/apply-patch+yaml",
];

/** The older way to watch, which built-in kinds still have. */
function watches(version: OpenApiVersion, kind: Kind, root: string, within: string): [string, Json][] {
  if (isCustom(kind) || !kind.verbs.includes("watch")) return [];
  const watch = (path: string, name: "watch" | "watchlist", isNamespaced: boolean, ends: string): [string, Json] => {
    const { group, version: v, kind: ofKind } = kind;
    const operation: Operation = {
      id: idOf(kind, ["watch"], isNamespaced, ends),
      description: `watch ${name === "watch" ? "one object" : "objects"} of kind ${ofKind}; deprecated in favour of lists with watch`,
      tag: tag(kind),
      parameters: listing,
      answer: { definition: `${META}WatchEvent`, codes: [200], types: [...OBJECT_TYPES, ...STREAM_TYPES] },
      consumes: ["*/*"],
      action: { name, group, version: v, kind: ofKind },
    };
    return [path, pathItem(version, path, kind, { get: operation })];
  };
  const all = kind.namespaced
    ? [watch(`${root}/watch/${kind.resource}`, "watchlist", false, "ListForAllNamespaces")]
    : [];
  const one = kind.verbs.includes("get") ? [watch(`${root}/watch/${within}/{name}`, "watch", kind.namespaced, "")] : [];
  return [...all, watch(`${root}/watch/${within}`, "watchlist", kind.namespaced, "List"), ...one];
}

const PROXY_METHODS: readonly Method[] = ["get", "put", "post", "delete", "options", "head", "patch"];

function connectionsOf(version: OpenApiVersion, kind: Kind, path: string, sub: Subresource): [string, Json][] {
  const methods: readonly Method[] = sub.name === "proxy" ? PROXY_METHODS : ["get", "post"];
  const connect = (method: Method, ends: string): [Method, Operation] => [
    method,
    {
      id: idOf(kind, ["connect", pascal(method)], kind.namespaced, pascal(sub.name) + ends),
      description: `connect ${method.toUpperCase()} requests to ${sub.name} of ${kind.kind}`,
      tag: tag(kind),
      parameters: connections[sub.name],
      answer: { codes: [200], types: ["*/*"] },
      consumes: ["*/*"],
      action: { name: "connect", group: kind.group, version: kind.version, kind: `${kind.kind}${optionsOf[sub.name]}` },
    },
  ];
  const item = (at: string, ends: string): [string, Json] => [
    at,
    pathItem(version, at, kind, Object.fromEntries(methods.map((method) => connect(method, ends)))),
  ];
  return [item(path, ""), ...(sub.name === "proxy" ? [item(`${path}/{path}`, "WithPath")] : [])];
}
