/** A request about objects as the engine takes it, and how its answer is to look: what its method, headers and body say. */
import { hasProtobuf } from "../../kinds/protobuf/envelope.ts";
import { badRequest } from "../../lib/status.ts";
import type { Draft } from "../audit/recorder.ts";
import { isBuiltIn } from "../engine/stored.ts";
import type { ApiRequest, User } from "../request.ts";
import { type Body, checkBodyType, type Expected, textOf, understood } from "./body.ts";
import { type Endpoint, type Format, negotiate, wantsPretty } from "./negotiate.ts";
import type { ResourceInfo } from "./request-info.ts";
import type { Route } from "./route.ts";

/** A request that may be answered: who asks, what is asked, and how the answer is to look. */
export type Question = {
  request: Request;
  query: URLSearchParams;
  user: User;
  info: ResourceInfo;
  asked: Route;
  format: Format;
  includeObject: string;
  /** What is recorded of it, if it is. */
  draft: Draft | undefined;
};

/** Which objects the rows of a Table carry: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
const INCLUDE_OBJECT = ["None", "Metadata", "Object", ""];
/** What comes with a GET is no one's. */
export const UNREAD: Body = { type: "", bytes: new Uint8Array() };
export const NO_BODY = { contentType: "", body: undefined };

/** Only tables ask what it says. */
function includeObject(query: URLSearchParams, { shape }: Format): string {
  const value = query.get("includeObject") ?? "";
  if (shape === "table" && !INCLUDE_OBJECT.includes(value))
    throw badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
    );
  return value || "Metadata";
}

/** What can be answered where the URL points. */
const endpointOf = (asked: Route): Endpoint => ({
  collection: asked.name === "" && asked.subresource === "",
  hasProtobuf: hasProtobuf(asked.kind),
  converts: asked.kind.verbs.includes("get") ? "all" : "metadata",
  isRouted: isBuiltIn(asked.kind),
});

/** How the answer is to look. Throws the 406, and the 400 for a Table that none can be. */
export function lookOf(
  request: Request,
  query: URLSearchParams,
  asked: Route,
): Pick<Question, "format" | "includeObject"> {
  const negotiated = negotiate(request.headers.get("accept"), endpointOf(asked), asked.verb === "watch");
  const pretty = negotiated.pretty || wantsPretty(query, request.headers.get("user-agent") ?? "");
  const format = { ...negotiated, pretty };
  return { format, includeObject: includeObject(query, format) };
}

/** The type of a body: options for deletes, a subresource's own, or the kind's. */
function expectedOf({ kind, verb, subresource }: Route): Expected {
  if (verb === "delete" || verb === "deletecollection") return { apiVersion: "v1", kind: "DeleteOptions" };
  const body = kind.subresources.find(({ name }) => name === subresource)?.body;
  if (!body) return kind;
  return { apiVersion: body.group ? `${body.group}/${body.version}` : body.version, kind: body.kind };
}

export function bodyOf(
  { method }: Request,
  body: Body,
  asked: Route,
): Pick<ApiRequest, "contentType" | "body" | "repeatedKeys"> {
  if (method === "GET" || (method === "DELETE" && body.bytes.length === 0)) return NO_BODY;
  const expected = expectedOf(asked);
  checkBodyType(method, body.type, hasProtobuf(expected), !isBuiltIn(asked.kind));
  const { type, text } = textOf(body, expected);
  return understood(type, text, expected);
}

export function apiRequest(
  question: Question,
  body: Pick<ApiRequest, "contentType" | "body" | "repeatedKeys">,
): ApiRequest {
  const { request, query, user, asked, draft } = question;
  const userAgent = (request.headers.get("user-agent") ?? "").split("/")[0] ?? "";
  // What is deleted must be known one by one.
  const { shape, encoding, pretty } = question.format;
  const asBytes = asked.verb === "list" && shape === "json" && encoding === "json" && !pretty;
  return { ...asked, user, query, ...body, userAgent, asBytes, ...(draft && { audit: draft }) };
}
