/** How operations and their parameters are written in the two versions of OpenAPI. */
import type { Kind } from "../kind.ts";
import { descriptionOf } from "./descriptions.ts";
import { type Json, type OpenApiVersion, refTo } from "./schemas.ts";

export const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

export type Method = "get" | "put" | "post" | "delete" | "options" | "head" | "patch";
export type Parameter = readonly [name: string, type: "string" | "integer" | "boolean", description?: string];

/** What an operation takes and gives, whichever version tells it. */
export type Operation = {
  id: string;
  description: string;
  tag: string;
  parameters?: readonly Parameter[];
  /** The name of a definition, and whether there must be one. */
  body?: { definition: string; required: boolean; types: readonly string[] };
  /** A definition, or plain text. */
  answer: { definition?: string; codes: readonly number[]; types: readonly string[] };
  consumes: readonly string[];
  /** What a Kubernetes client is told of it. */
  action?: { name: string; group: string; version: string; kind: string };
};

export const OBJECT_TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
export const STREAM_TYPES = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
/** Custom resources have no protobuf form. */
export const CUSTOM_TYPES = ["application/json", "application/yaml"];

const NAMES: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted", 401: "Unauthorized" };

export function operationOf(version: OpenApiVersion, operation: Operation): Json {
  const { id, description, tag, action, answer } = operation;
  const schema = answer.definition ? refTo(version, answer.definition) : { type: "string" };
  const contents = (types: readonly string[], of: Json) =>
    Object.fromEntries(types.map((type) => [type, { schema: of }]));
  const respond = (code: number): Json => ({
    description: NAMES[code],
    ...(version === "3" ? { content: contents(answer.types, schema) } : { schema }),
  });
  const responses = {
    ...Object.fromEntries(answer.codes.map((code) => [code, respond(code)])),
    401: { description: NAMES[401] },
  };
  const { body, consumes, parameters = [] } = operation;
  const query = parameters.map((parameter) => queryParameter(version, parameter));
  const common = { description, operationId: id, tags: [tag], responses };
  const marks = action && {
    "x-kubernetes-action": action.name,
    "x-kubernetes-group-version-kind": { group: action.group, kind: action.kind, version: action.version },
  };
  if (version === "3")
    return {
      ...common,
      ...marks,
      ...(query.length && { parameters: query }),
      ...(body && {
        requestBody: {
          content: contents(body.types, refTo("3", body.definition)),
          ...(body.required && { required: true }),
        },
      }),
    };
  const inBody = body && {
    name: "body",
    in: "body",
    ...(body.required && { required: true }),
    schema: refTo("2", body.definition),
  };
  const all = [...(inBody ? [inBody] : []), ...query];
  return {
    ...common,
    ...marks,
    consumes,
    produces: answer.types,
    schemes: ["https"],
    ...(all.length && { parameters: all }),
  };
}

/** A parameter's type stands in a schema since version 3. */
const typed = (version: OpenApiVersion, type: string): Json =>
  version === "3" ? { schema: { type, uniqueItems: true } } : { type, uniqueItems: true };

function queryParameter(version: OpenApiVersion, [name, type, description]: Parameter): Json {
  const text = description ?? descriptionOf(`${META}DeleteOptions`, name);
  return { name, in: "query", ...(text && { description: text }), ...typed(version, type) };
}

/** What a path has its parameters from: names in it, what all of its operations take, and how it is to look. */
export function pathItem(
  version: OpenApiVersion,
  path: string,
  kind: Kind,
  operations: Partial<Record<Method, Operation>>,
): Json {
  const texts: Readonly<Record<string, string>> = {
    name: `name of the ${kind.kind}`,
    namespace: "the namespace of the object, in which its name is unique",
    path: "what follows in the URL",
  };
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  const inPath = names.map((name) => ({
    name,
    in: "path",
    required: true,
    ...(texts[name] && { description: texts[name] }),
    ...typed(version, "string"),
  }));
  const lists = Object.values(operations).map(({ parameters = [] }) => parameters);
  const shared = (lists[0] ?? []).filter((parameter) => lists.every((list) => list.includes(parameter)));
  const own = Object.entries(operations).map(([method, operation]) => {
    const parameters = (operation.parameters ?? []).filter((parameter) => !shared.includes(parameter));
    return [method, operationOf(version, { ...operation, parameters })];
  });
  const connects = Object.values(operations).every(({ action }) => action?.name === "connect");
  const pretty: Parameter[] = connects ? [] : [["pretty", "string", "indents the answer when it is true"]];
  return {
    ...Object.fromEntries(own),
    parameters: [...inPath, ...[...shared, ...pretty].map((parameter) => queryParameter(version, parameter))],
  };
}
