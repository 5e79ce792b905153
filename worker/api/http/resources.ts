/** Requests about objects: from HTTP to the engine and back. */
import { INTERNAL_HEADER, POD_UID_HEADER } from "../../lib/internal-headers.ts";
import { ApiError, methodNotAllowed, type Status } from "../../lib/status.ts";
import { type Draft, type Outcome, outcomeOf, type Recorder } from "../audit/recorder.ts";
import type { Access } from "../auth/access.ts";
import type { Presented } from "../auth/authenticate.ts";
import { requireAllowed } from "../auth/authorize.ts";
import type { Context as ReviewContext } from "../auth/virtual.ts";
import { askVirtual, reviewedToken } from "../auth/virtual-resources.ts";
import { type Attempt, withCallouts } from "../callouts/callouts.ts";
import { traitsOf } from "../engine/traits.ts";
import type { Place } from "../fairness/queues.ts";
import { askCustomMetrics } from "../metrics/custom.ts";
import { askMetrics } from "../metrics/metrics.ts";
import type { AppParts } from "../parts.ts";
import { listAsProtobuf, render } from "../render.ts";
import type { ApiRequest, ApiResult, User, WatchSpec } from "../request.ts";
import { answerJson } from "./answer.ts";
import { APPLY, type Body, readBody, textOf } from "./body.ts";
import { errorFormat } from "./negotiate.ts";
import { isProxied, proxyTarget } from "./proxy.ts";
import { apiRequest, bodyOf, lookOf, NO_BODY, type Question, UNREAD } from "./question.ts";
import type { Asked, RequestInfo, ResourceInfo } from "./request-info.ts";
import { PageNotFound, type Route, route } from "./route.ts";
import { grantStream, notUpgraded, offeredProtocols, STREAMS, type StreamGrant, type StreamKind } from "./streams.ts";
import { checkTimeout } from "./timeout.ts";
import { watchAnswer } from "./watch-stream.ts";

const TOKEN_REVIEW = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" };
/** What needs no turn where nobody waits: no write waits for it. */
const READS = new Set(["get", "list"]);
/** Streams into a pod that stand for a create, however they are opened. */
const CREATED: ReadonlySet<string> = new Set(["exec", "attach", "portforward"]);

const isProxy = ({ kind, subresource }: Route) => subresource === "proxy" && isProxied(kind.groupResource);
const isCreated = (info: RequestInfo): info is ResourceInfo =>
  info.type === "resource" && info.group === "" && info.resource === "pods" && CREATED.has(info.subresource);
const isStream = (asked: Route) =>
  isProxy(asked) || (asked.kind.groupResource === "pods" && STREAMS.has(asked.subresource));

const STARTED: Outcome = { code: 200, stage: "ResponseStarted" };
const UPGRADED: Outcome = { code: 101, stage: "ResponseStarted" };
/** What a program answers is not known here. */
const FORWARDED: Outcome = { stage: "ResponseStarted" };

/** What is known when the turn ends: nothing of what is answered later. */
function ended(result: Response | ApiResult | Promise<ApiResult>): Outcome | undefined {
  if (result instanceof Promise) return undefined;
  return result instanceof Response ? { code: result.status } : outcomeOf(result);
}

export class Resources {
  readonly #parts: AppParts;
  readonly #access: Access;
  readonly #recorder: Recorder;
  readonly #review: ReviewContext;

  constructor(parts: AppParts, access: Access, recorder: Recorder) {
    this.#parts = parts;
    this.#access = access;
    this.#recorder = recorder;
    const { store, effects, security } = parts;
    const { rbac, authorizer } = security;
    const identify: ReviewContext["identify"] = (presented, audiences) => access.identify(presented, audiences);
    this.#review = { store, effects, rbac, authorizer, key: access.key, identify };
  }

  async answer(what: Asked, presented: Presented | undefined): Promise<Response> {
    const { request, url } = what;
    // What is wrong with the body is told only to those who may send one.
    const body: Body | ApiError =
      request.method === "GET" ? UNREAD : await readBody(request).catch((error: ApiError) => error);
    const text = () => ("bytes" in body ? textOf(body, TOKEN_REVIEW).text : "");
    const token = reviewedToken(url.pathname, text);
    const reviewed = token ? await this.#access.digest(token) : undefined;
    const { user, place } = this.#who(what, presented);
    const draft = this.#recorder.begin(request, what.info, user, presented);
    const once = (attempt: Attempt | undefined) => {
      const question = this.#ask(what, user, draft);
      if (!("bytes" in body)) throw body;
      if (isStream(question.asked)) return { question, result: this.#refuseStream(question) };
      if (question.asked.verb === "watch")
        return { question, result: watchAnswer(this.#parts, this.#watchSpec(question)) };
      return { question, result: this.#handle(question, body, reviewed, attempt) };
    };
    const { question, result } = await this.#withCallouts((attempt) =>
      this.#parts.batch(
        () =>
          this.#recorder.during(
            draft,
            () => once(attempt),
            ({ result }) => ended(result),
          ),
        place,
      ),
    );
    const answer = await result;
    if (draft && result instanceof Promise && !(answer instanceof Response))
      await this.#parts.batch(() => this.#recorder.ended(draft, outcomeOf(answer)));
    if (answer instanceof Response) return answer;
    const respond = () => this.#respond(answer, question);
    // What was done stays done: only its rendering may have to wait for a conversion.
    return question.asked.kind.conversion ? this.#withCallouts(async () => respond()) : respond();
  }

  /** What to send on a socket; undefined when the request is no watch after all. */
  watch(what: Asked, presented: Presented | undefined): Promise<WatchSpec | undefined> {
    const { user, place } = this.#who(what, presented);
    const draft = this.#recorder.begin(what.request, what.info, user, presented);
    const once = () => {
      const question = this.#ask(what, user, draft);
      return question.asked.verb === "watch" ? this.#watchSpec(question) : undefined;
    };
    return this.#withCallouts(() =>
      this.#parts.batch(() => this.#recorder.during(draft, once, (spec) => spec && STARTED), place),
    );
  }

  /** Which node is to serve what; a 204 is the log of a pod that no node has. */
  stream(what: Asked, presented: Presented | undefined): Promise<StreamGrant | Response> {
    const { request, info } = what;
    const user = this.#access.actor(request, presented);
    const isChecked = request.headers.get(INTERNAL_HEADER) === "stream-check";
    const draft = isChecked ? undefined : this.#recorder.begin(request, info, user, presented);
    const once = (attempt: Attempt | undefined) => {
      const question = this.#ask(what, user, draft);
      if (!isStream(question.asked)) throw methodNotAllowed();
      const granted = this.#grant(question, offeredProtocols(request.headers));
      if (granted) this.#parts.engine.connect(apiRequest(question, NO_BODY), attempt);
      return granted ?? new Response(null, { status: 204 });
    };
    return this.#withCallouts((attempt) =>
      this.#parts.batch(() =>
        this.#recorder.during(
          draft,
          () => once(attempt),
          () => (info.type === "resource" && info.subresource === "proxy" ? FORWARDED : UPGRADED),
        ),
      ),
    );
  }

  #withCallouts<T>(run: (attempt?: Attempt) => Promise<T>): Promise<T> {
    return withCallouts(run, this.#parts.ask, this.#parts.effects);
  }

  /** Who asks, and where the request stands among others. */
  #who({ request, info }: Asked, presented: Presented | undefined): { user: User; place: Place } {
    const user = this.#access.actor(request, presented);
    const flow = this.#access.fairness.classify(request, user, info);
    return { user, place: { flow, reads: READS.has(info.verb) } };
  }

  /** Authorization first, even of what is not served, so that nothing can be probed without it. */
  #ask({ request, url, info }: Asked, user: User, draft: Draft | undefined): Question {
    const { authorizer } = this.#parts.security;
    // Who may create a stream may open it, though its WebSocket opens with GET.
    if (info.verb !== "watch") checkTimeout(url.searchParams);
    const created = isCreated(info) ? authorizer(user, { ...info, verb: "create" }) : undefined;
    const reason = created?.allowed ? created.reason : requireAllowed(authorizer, user, info);
    if (draft) this.#recorder.allowed(draft, reason);
    if (info.type === "path") throw new PageNotFound();
    const asked = route(this.#parts.kinds, request.method, info);
    const query = url.searchParams;
    return { request, query, user, info, asked, ...lookOf(request, query, asked), draft };
  }

  #handle(
    question: Question,
    body: Body,
    reviewed: Presented | undefined,
    attempt: Attempt | undefined,
  ): ApiResult | Promise<ApiResult> {
    const { user, info, asked, request } = question;
    const { engine, kinds, security } = this.#parts;
    const api = apiRequest(question, bodyOf(request, body, asked));
    const answer = askVirtual(this.#review, kinds, api, reviewed);
    if (answer) return answer;
    const { usages, traffic, effects } = this.#parts;
    const sources = { view: engine.view, usages, traffic, now: effects.now };
    const measured = askMetrics(sources, api) ?? askCustomMetrics(sources, api);
    if (measured) return measured;
    if (this.#creates(api)) requireAllowed(security.authorizer, user, { ...info, verb: "create" });
    return engine.handle(api, attempt);
  }

  /** An update or apply of what is not there creates it, where that is allowed, and takes the right to create. */
  #creates({ kind, verb, subresource, namespace, name, contentType }: ApiRequest): boolean {
    const may = verb === "update" ? traitsOf(kind).createOnUpdate : verb === "patch" && contentType === APPLY;
    if (!may || subresource !== "") return false;
    return this.#parts.store.get({ resource: kind.groupResource, namespace, name }) === undefined;
  }

  #respond(result: ApiResult, { request, format: wanted, includeObject, asked }: Question): Response {
    const look = { ...wanted, includeObject };
    const bytes = wanted.encoding === "protobuf" ? listAsProtobuf(result, look) : undefined;
    const text = bytes ?? render(result, look, this.#parts.effects.now());
    const { code } = result;
    const format = code < 400 ? wanted : errorFormat(request);
    const { deprecation } = asked.kind;
    const warnings = deprecation ? [deprecation, ...result.warnings] : result.warnings;
    const retry = result.type === "status" ? (result.body as Status).details?.retryAfterSeconds : undefined;
    return answerJson(text, { code, format, warnings, headers: retry ? { "retry-after": String(retry) } : {} });
  }

  #watchSpec(question: Question): WatchSpec {
    const { shape, encoding, metaVersion } = question.format;
    const format = shape === "metadata-list" ? "metadata" : shape;
    return {
      ...this.#parts.engine.watch(apiRequest(question, NO_BODY), format),
      ...(encoding === "protobuf" && { encoding }),
      ...(metaVersion === "v1beta1" && { metaVersion }),
    };
  }

  #grant({ request, user, info, query, asked }: Question, offered?: readonly string[]): StreamGrant | undefined {
    const { effects, security, store, engine } = this.#parts;
    const { namespace, name, subresource } = info;
    if (isProxy(asked)) {
      const uid = request.headers.get(POD_UID_HEADER) ?? undefined;
      const question = { view: engine.view, random: effects.random, namespace, ...(uid && { uid }) };
      const { node, ...target } = proxyTarget(question, asked.kind.groupResource, name);
      return { node, stream: { id: effects.uid(), kind: "proxy", ...target } };
    }
    // A WebSocket opens with GET whatever it is for, so the right to create is asked for as well.
    if (subresource !== "log") requireAllowed(security.authorizer, user, { ...info, verb: "create" });
    return grantStream(store, { id: effects.uid(), kind: subresource as StreamKind, namespace, name, query, offered });
  }

  /** Over plain HTTP there is nobody to carry the bytes; what is wrong with the question is told all the same. */
  #refuseStream(question: Question): Response {
    const granted = this.#grant(question);
    const { subresource } = question.info;
    if (subresource !== "log" && subresource !== "proxy") throw notUpgraded(question.request.headers);
    if (!granted) return new Response(null, { status: 204 });
    throw new ApiError(503, "ServiceUnavailable", `${subresource} is served through the edge only`);
  }
}
