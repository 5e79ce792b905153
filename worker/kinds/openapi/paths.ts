import { definitionOfKind } from "../generated/schemas.ts";
import type { Kind, Subresource } from "../kind.ts";
import { definitionName, type Json, type OpenApiVersion, refTo } from "./schemas.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

type Parameter = readonly [name: string, type: "string" | "integer" | "boolean"];
const writing: readonly Parameter[] = [
  ["dryRun", "string"],
  ["fieldManager", "string"],
  ["fieldValidation", "string"],
];
const deleting: readonly Parameter[] = [
  ["dryRun", "string"],
  ["gracePeriodSeconds", "integer"],
  ["ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"],
  ["orphanDependents", "boolean"],
  ["propagationPolicy", "string"],
];
const listing: readonly Parameter[] = [
  ["allowWatchBookmarks", "boolean"],
  ["continue", "string"],
  ["fieldSelector", "string"],
  ["labelSelector", "string"],
  ["limit", "integer"],
  ["resourceVersion", "string"],
  ["resourceVersionMatch", "string"],
  ["sendInitialEvents", "boolean"],
  ["timeoutSeconds", "integer"],
  ["watch", "boolean"],
];

type Action = {
  method: "get" | "post" | "put" | "patch" | "delete";
  /** `x-kubernetes-action`. */
  action: string;
  /** How an operation's id begins. */
  id: string;
  parameters: readonly Parameter[];
  body?: "object" | "patch" | "options";
  answer: "object" | "list" | "status" | "text";
};

/** By discovery's verbs; those on a collection, and those on one object. */
const collection: Readonly<Record<string, Action>> = {
  list: { method: "get", action: "list", id: "list", parameters: listing, answer: "list" },
  create: { method: "post", action: "post", id: "create", parameters: writing, body: "object", answer: "object" },
  deletecollection: {
    method: "delete",
    action: "deletecollection",
    id: "delete",
    parameters: [...listing.slice(1, 9), ...deleting],
    body: "options",
    answer: "status",
  },
};
const single: Readonly<Record<string, Action>> = {
  get: { method: "get", action: "get", id: "read", parameters: [], answer: "object" },
  update: { method: "put", action: "put", id: "replace", parameters: writing, body: "object", answer: "object" },
  patch: {
    method: "patch",
    action: "patch",
    id: "patch",
    parameters: [...writing, ["force", "boolean"]],
    body: "patch",
    answer: "object",
  },
  delete: {
    method: "delete",
    action: "delete",
    id: "delete",
    parameters: deleting,
    body: "options",
    answer: "status",
  },
};
const { create, list } = collection as { create: Action; list: Action };
const onSubresource: Readonly<Record<string, Action>> = { ...single, create };
const connect: Readonly<Record<string, Action>> = Object.fromEntries(
  (["get", "create", "update", "patch", "delete"] as const).map((verb) => {
    const { method } = verb === "create" ? create : (single[verb] as Action);
    return [verb, { method, action: "connect", id: `connect`, parameters: [], answer: "text" }];
  }),
);
const listAll: Action = { ...list };
/** Subresources that open a connection to something behind the server. */
const connections = new Set(["attach", "exec", "portforward", "proxy"]);

const pascal = (text: string) =>
  text.replace(/(?:^|[^A-Za-z0-9])([A-Za-z0-9])/g, (_, first: string) => first.toUpperCase());
const groupTitle = (group: string) => pascal(group.replace(/\.k8s\.io$/, "") || "core");

/** The paths of one kind, with their operations. */
export function* pathsOf(version: OpenApiVersion, kind: Kind): Iterable<[path: string, item: Json]> {
  const root = `${kind.group ? "/apis" : "/api"}/${kind.apiVersion}`;
  const base = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.resource}` : `${root}/${kind.resource}`;
  const item = (path: string, actions: Readonly<Record<string, Action>>, sub?: Subresource): [string, Json] => [
    path,
    {
      ...pathParameters(version, path),
      ...operations(version, kind, actions, sub),
    },
  ];
  if (kind.verbs.some((verb) => verb in collection)) yield item(base, collection);
  if (kind.verbs.some((verb) => verb in single)) yield item(`${base}/{name}`, single);
  if (kind.namespaced && kind.verbs.includes("list")) yield item(`${root}/${kind.resource}`, { list: listAll });
  for (const sub of kind.subresources)
    yield item(`${base}/{name}/${sub.name}`, connections.has(sub.name) ? connect : onSubresource, sub);
}

function operations(
  version: OpenApiVersion,
  kind: Kind,
  actions: Readonly<Record<string, Action>>,
  sub: Subresource | undefined,
): Json {
  const verbs = sub?.verbs ?? kind.verbs;
  return Object.fromEntries(
    Object.entries(actions).flatMap(([verb, action]) =>
      verbs.includes(verb) ? [[action.method, operation(version, kind, action, sub)]] : [],
    ),
  );
}

function operation(version: OpenApiVersion, kind: Kind, action: Action, sub: Subresource | undefined): Json {
  const { group, version: v, kind: name } = sub?.body ?? kind;
  const own = definitionName(kind);
  const object = sub?.body ? definitionOfKind[`${group}/${v}/${name}`] : own;
  const all = action === listAll;
  const answer = { object, list: `${own}List`, status: `${meta}Status`, text: undefined }[action.answer];
  const body = action.body && { object, patch: `${meta}Patch`, options: `${meta}DeleteOptions` }[action.body];
  const types = action.body === "patch" ? patchTypes(kind) : ["application/json"];
  return {
    operationId: [
      action.id,
      groupTitle(kind.group),
      pascal(kind.version),
      action.action === "connect" ? pascal(action.method) : "",
      action.action === "deletecollection" ? "Collection" : "",
      kind.namespaced && !all ? "Namespaced" : "",
      kind.kind,
      all ? "ForAllNamespaces" : pascal(sub?.name ?? ""),
    ].join(""),
    tags: [`${groupTitle(kind.group).replace(/^./, (c) => c.toLowerCase())}_${kind.version}`],
    "x-kubernetes-action": action.action,
    "x-kubernetes-group-version-kind": { group, kind: name, version: v },
    ...(version === "3" ? operation3(action, body, types, answer) : operation2(action, body, types, answer)),
  };
}

/** Custom resources have no strategic merge patch. */
const patchTypes = (kind: Kind) => [
  "application/json-patch+json",
  "application/merge-patch+json",
  ...(kind.schema.name ? ["application/strategic-merge-patch+json"] : []),
  "application/apply-patch+yaml",
];

type Name = string | undefined;

function operation3(action: Action, body: Name, types: readonly string[], answer: Name): Json {
  const content = (name: string, mediaTypes: readonly string[]) =>
    Object.fromEntries(mediaTypes.map((type) => [type, { schema: refTo("3", name) }]));
  return {
    ...(action.parameters.length && { parameters: action.parameters.map((p) => query("3", p)) }),
    ...(body && {
      requestBody: { content: content(body, types), ...(action.body !== "options" && { required: true }) },
    }),
    responses: { 200: { description: "OK", ...(answer && { content: content(answer, ["application/json"]) }) } },
  };
}

function operation2(action: Action, body: Name, types: readonly string[], answer: Name): Json {
  const bodyParameter = body && {
    name: "body",
    in: "body",
    required: action.body !== "options",
    schema: refTo("2", body),
  };
  return {
    consumes: types,
    produces: ["application/json"],
    schemes: ["https"],
    parameters: [...(bodyParameter ? [bodyParameter] : []), ...action.parameters.map((p) => query("2", p))],
    responses: { 200: { description: "OK", ...(answer && { schema: refTo("2", answer) }) } },
  };
}

/** A parameter's type stands in a schema since version 3. */
const typed = (version: OpenApiVersion, type: string): Json =>
  version === "3" ? { schema: { type, uniqueItems: true } } : { type, uniqueItems: true };
const query = (version: OpenApiVersion, [name, type]: Parameter): Json => ({
  name,
  in: "query",
  ...typed(version, type),
});

function pathParameters(version: OpenApiVersion, path: string): Json {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const inPath = names.map((name) => ({ name, in: "path", required: true, ...typed(version, "string") }));
  return { parameters: [...inPath, query(version, ["pretty", "string"])] };
}
