/** Requests about objects: from HTTP to the engine and back. */
import { ApiError, badRequest, methodNotAllowed, type Status } from "../../lib/status.ts";
import { digest, type Presented } from "../auth/authenticate.ts";
import { requireAllowed } from "../auth/authorize.ts";
import { nodeRestriction } from "../auth/node-restriction.ts";
import type { Context as ReviewContext } from "../auth/virtual.ts";
import { askVirtual, reviewedToken } from "../auth/virtual-resources.ts";
import { traitsOf } from "../engine/traits.ts";
import type { AppParts } from "../parts.ts";
import { render } from "../render.ts";
import type { ApiRequest, ApiResult, User, WatchSpec } from "../request.ts";
import { answerJson } from "./answer.ts";
import { bodyType, readBody, understood } from "./body.ts";
import { type Format, negotiate, wantsPretty } from "./negotiate.ts";
import { type RequestInfo, type ResourceInfo, requestInfo } from "./request-info.ts";
import { PageNotFound, type Route, route } from "./route.ts";
import { grantStream, notUpgraded, offeredProtocols, STREAMS, type StreamGrant, type StreamKind } from "./streams.ts";
import { watchAnswer } from "./watch-stream.ts";

/** The user who acts, allowed to do what `info` says; throws 401 or 403. */
export type Admit = (request: Request, presented: Presented | undefined, info: RequestInfo) => User;

export type ResourceParts = AppParts & { review: ReviewContext; admit: Admit };

export type Resources = {
  answer(request: Request, info: ResourceInfo, presented: Presented | undefined): Promise<Response>;
  /** Undefined when the request is no watch after all. */
  watch(request: Request, presented: Presented | undefined): Promise<WatchSpec | undefined>;
  stream(request: Request, presented: Presented | undefined): Promise<StreamGrant | Response>;
};

const isCollection = (asked: Route) => asked.name === "" && asked.subresource === "";

function apiRequest(
  request: Request,
  asked: Route,
  user: User,
  body: Pick<ApiRequest, "contentType" | "body">,
): ApiRequest {
  const userAgent = (request.headers.get("user-agent") ?? "").split("/")[0] ?? "";
  return { ...asked, user, query: new URL(request.url).searchParams, ...body, userAgent };
}

/** Which objects the rows of a Table carry: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
const INCLUDE_OBJECT = ["None", "Metadata", "Object"];

function includeObject(query: URLSearchParams): string {
  const value = query.get("includeObject") || "Metadata";
  if (!INCLUDE_OBJECT.includes(value)) throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
  return value;
}

function formatOf(request: Request, asked: Route): Format {
  const pretty = wantsPretty(new URL(request.url).searchParams, request.headers.get("user-agent") ?? "");
  return { ...negotiate(request.headers.get("accept"), isCollection(asked)), pretty };
}

const isStream = ({ kind, subresource }: Route) => kind.groupResource === "pods" && STREAMS.has(subresource);

const APPLY = "application/apply-patch+yaml";

const NO_BODY = { contentType: "", body: undefined };

function bodyOf(request: Request, text: string): Pick<ApiRequest, "contentType" | "body"> {
  if (request.method === "GET" || (request.method === "DELETE" && text === "")) return NO_BODY;
  return understood(bodyType(request.method, request.headers.get("content-type")), text);
}

export function resources(parts: ResourceParts): Resources {
  const { engine, kinds, store, effects, batch, review, admit, security } = parts;

  type Asked = { user: User; info: ResourceInfo; asked: Route };
  /** Authorization first, even of what is not served, so that nothing can be probed without it. */
  function ask(request: Request, presented: Presented | undefined): Asked {
    const info = requestInfo(request.method, new URL(request.url));
    const user = admit(request, presented, info);
    if (info.type === "path") throw new PageNotFound();
    return { user, info, asked: route(kinds, request.method, info) };
  }

  function handle(
    { user, info, asked }: Asked,
    request: Request,
    text: string,
    reviewed: Presented | undefined,
  ): ApiResult | Promise<ApiResult> {
    const api = apiRequest(request, asked, user, bodyOf(request, text));
    const answer = askVirtual(review, kinds, api, reviewed);
    if (answer) return answer;
    if (asked.subresource === "proxy")
      throw new ApiError(501, "NotImplemented", "the server does not proxy to nodes, pods and services yet");
    const refused = nodeRestriction(store, { ...info, verb: asked.verb, user, body: api.body });
    if (refused) throw refused;
    if (creates(asked, api)) requireAllowed(security.authorizer, user, { ...info, verb: "create" });
    return engine.handle(api);
  }

  /** An update or apply of what is not there creates it, where that is allowed, and takes the right to create. */
  function creates({ kind, verb, subresource, namespace, name }: Route, { contentType }: ApiRequest): boolean {
    const may = verb === "update" ? traitsOf(kind).createOnUpdate : verb === "patch" && contentType === APPLY;
    return may && subresource === "" && store.get({ resource: kind.groupResource, namespace, name }) === undefined;
  }

  function respond(result: ApiResult, { format, query }: { format: Format; query: URLSearchParams }): Response {
    const text = render(result, format.shape, includeObject(query), effects.now());
    const { code, warnings } = result;
    const retry = result.type === "status" ? (result.body as Status).details?.retryAfterSeconds : undefined;
    return answerJson(text, { code, format, warnings, headers: retry ? { "retry-after": String(retry) } : {} });
  }

  function grant({ user, info }: Asked, request: Request, offered?: readonly string[]): StreamGrant | undefined {
    // A WebSocket opens with GET whatever it is for, so the right to create is asked for as well.
    if (info.subresource !== "log") requireAllowed(security.authorizer, user, { ...info, verb: "create" });
    return grantStream(store, {
      id: effects.uid(),
      kind: info.subresource as StreamKind,
      namespace: info.namespace,
      name: info.name,
      query: new URL(request.url).searchParams,
      offered,
    });
  }

  /** Over plain HTTP there is nobody to carry the bytes; what is wrong with the question is told all the same. */
  function refuseStream(asked: Asked, request: Request): Response {
    const granted = grant(asked, request);
    if (asked.info.subresource !== "log") throw notUpgraded(request.headers);
    if (!granted) return new Response(null, { status: 204 });
    throw new ApiError(503, "ServiceUnavailable", "logs are served through the edge only");
  }

  function watchSpec({ user, asked }: Asked, request: Request): WatchSpec {
    const { shape } = formatOf(request, asked);
    return engine.watch(apiRequest(request, asked, user, NO_BODY), shape);
  }

  return {
    async answer(request, info, presented) {
      const text = await readBody(request).catch((error: unknown) => error);
      const token = typeof text === "string" ? reviewedToken(info.path, text) : undefined;
      const reviewed = token ? await digest(review.key, token) : undefined;
      const { format, result } = await batch(() => {
        const question = ask(request, presented);
        const { asked } = question;
        const format = formatOf(request, asked);
        if (typeof text !== "string") throw text;
        if (isStream(asked)) return { format, result: refuseStream(question, request) };
        if (asked.verb === "watch") return { format, result: watchAnswer(parts, watchSpec(question, request)) };
        return { format, result: handle(question, request, text, reviewed) };
      });
      const answer = await result;
      return answer instanceof Response
        ? answer
        : respond(answer, { format, query: new URL(request.url).searchParams });
    },
    async watch(request, presented) {
      return batch(() => {
        const question = ask(request, presented);
        return question.asked.verb === "watch" ? watchSpec(question, request) : undefined;
      });
    },
    async stream(request, presented) {
      return batch(() => {
        const question = ask(request, presented);
        if (!isStream(question.asked)) throw methodNotAllowed();
        return grant(question, request, offeredProtocols(request.headers)) ?? new Response(null, { status: 204 });
      });
    },
  };
}
