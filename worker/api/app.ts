/**
 * The Kubernetes API over HTTP: who asks, whether they may, what they mean, and the answer in the form they accept.
 * Bodies are read and tokens are verified first; then everything about a request happens in one synchronous turn.
 */
import { Hono, type Context as HonoContext } from "hono";
import type { Kinds } from "../kinds/registry.ts";
import type { Effects } from "../lib/effects.ts";
import { ApiError, methodNotAllowed, unauthorized } from "../lib/status.ts";
import type { Store } from "../storage/store.ts";
import { ANONYMOUS, bearerToken, digest, identify, type Presented, sha256 } from "./auth/authenticate.ts";
import { anyOf, requireAllowed } from "./auth/authorize.ts";
import { type EscalationCheck, escalationCheck } from "./auth/escalation.ts";
import { impersonate } from "./auth/impersonate.ts";
import { nodeAuthorizer } from "./auth/node-authorizer.ts";
import { Rbac } from "./auth/rbac.ts";
import type { Authorizer } from "./auth/rules.ts";
import { signingKey } from "./auth/signing-key.ts";
import type { Context as ReviewContext } from "./auth/virtual.ts";
import { answerError, PLAIN } from "./http/answer.ts";
import { type Format, negotiate } from "./http/negotiate.ts";
import { type PublicParts, publicRoutes } from "./http/public.ts";
import { type RequestInfo, requestInfo } from "./http/request-info.ts";
import { type Resources, resources } from "./http/resources.ts";
import { PageNotFound } from "./http/route.ts";
import type { StreamGrant } from "./http/streams.ts";
import type { WatchParts } from "./http/watch-stream.ts";
import type { ApiRequest, ApiResult, User, WatchSpec } from "./request.ts";

/** What answers requests about objects. */
export type ApiEngine = {
  handle(request: ApiRequest): ApiResult;
  watch(request: ApiRequest, format: WatchSpec["format"]): WatchSpec;
};

export type ApiConfig = {
  /** Hex of the SHA-256 of the administrator's token. */
  adminTokenHash: string;
  /** PEM of the cluster's CA, for machines that join. */
  ca: string;
};

export type AppParts = {
  engine: ApiEngine;
  kinds: Kinds;
  store: Store;
  effects: Effects;
  config: ApiConfig;
  security: Security;
  watches: WatchParts["watches"];
  /** Ends watches that this app streams itself: calls `body` once after `ms`. */
  after?(ms: number, body: () => void): void;
  /** Runs the synchronous part of a request, together with others of the same event-loop turn. */
  batch<T>(body: () => T): Promise<T>;
};

/** Who may do what, from the cluster's own objects; shared with admission. */
export type Security = { rbac: Rbac; authorizer: Authorizer; checkEscalation: EscalationCheck };

export function createSecurity(store: Store): Security {
  const rbac = new Rbac(store);
  const authorizer = anyOf([nodeAuthorizer(store), (user, attributes) => rbac.authorize(user, attributes)]);
  return { rbac, authorizer, checkEscalation: escalationCheck(rbac, authorizer) };
}

export type Variables = { info: RequestInfo; user: User; presented: Presented | undefined };
export type AppContext = HonoContext<{ Variables: Variables }>;

export type Api = {
  app: Hono<{ Variables: Variables }>;
  /** A watch for a socket: what to send, or the refusal. */
  openWatch(request: Request): Promise<WatchSpec | Response>;
  /** Exec, attach, port-forward or log: which node is to serve what, or the refusal. */
  authorizeStream(request: Request): Promise<StreamGrant | Response>;
  /** Who presents the request's token. Throws the 401. */
  authenticate(request: Request): Promise<User>;
  /** A request by someone already known, as agents send on their socket. */
  call(user: User, request: Request): Promise<Response>;
};

export function createApp(parts: AppParts): Api {
  const { store, effects, config, security, batch } = parts;
  const { authorizer, rbac } = security;
  const key = signingKey(store);
  const known = new WeakMap<Request, User>();
  const who: ReviewContext["identify"] = (presented, audiences) =>
    identify({ store, effects, adminTokenHash: config.adminTokenHash }, presented, audiences);

  async function present(request: Request): Promise<Presented | undefined> {
    const token = bearerToken(request.headers);
    return token === undefined ? undefined : digest(key, token);
  }

  function userOf(presented: Presented | undefined): User {
    if (!presented) return ANONYMOUS;
    const identity = who(presented);
    if ("refused" in identity || identity.audiences.length === 0) throw unauthorized();
    return identity.user;
  }

  /** The user whom the request acts as, allowed to do what it asks. */
  function admit(request: Request, presented: Presented | undefined, info: RequestInfo): User {
    const user = known.get(request) ?? impersonate(authorizer, userOf(presented), request.headers);
    requireAllowed(authorizer, user, info.type === "path" ? info : { ...info, verb: info.verb });
    return user;
  }

  const review: ReviewContext = { store, effects, rbac, authorizer, key, identify: who };
  const served: Resources = resources({ ...parts, review, admit });
  const app = new Hono<{ Variables: Variables }>();

  app.use("*", async (c, next) => {
    await next();
    c.res.headers.set("audit-id", c.req.header("audit-id") ?? effects.uid());
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-cache, private");
  });
  app.onError((error, c) => answerError(error, errorFormat(c.req.header("accept"))));
  app.notFound(() => answerError(new PageNotFound()));

  const publicParts: PublicParts = { ...parts, key, hash: sha256 };
  const authorized = async (c: AppContext, next: () => Promise<void>) => {
    const info = requestInfo(c.req.method, new URL(c.req.url));
    const presented = await present(c.req.raw);
    if (info.type === "path") c.set("user", await batch(() => admit(c.req.raw, presented, info)));
    c.set("info", info);
    c.set("presented", presented);
    await next();
  };
  publicRoutes(app, authorized, publicParts);
  for (const path of ["/api/*", "/apis/*"]) app.all(path, authorized, (c) => answerResource(c));
  app.all("*", authorized, () => answerError(new PageNotFound()));

  async function answerResource(c: AppContext): Promise<Response> {
    const { info, presented } = c.var;
    if (info.type === "path") throw c.req.method === "GET" ? new PageNotFound() : methodNotAllowed();
    return served.answer(c.req.raw, info, presented);
  }

  async function guarded<T>(request: Request, body: () => Promise<T>): Promise<T | Response> {
    try {
      return await body();
    } catch (error) {
      return answerError(error, errorFormat(request.headers.get("accept")));
    }
  }

  return {
    app,
    openWatch: (request) => guarded(request, async () => served.watch(request, await present(request))),
    authorizeStream: (request) => guarded(request, async () => served.stream(request, await present(request))),
    async authenticate(request) {
      const presented = await present(request);
      return userOf(presented);
    },
    async call(user, request) {
      known.set(request, user);
      return app.fetch(request);
    },
  };
}

/** Errors too come as the client accepts; JSON when that itself is the error. */
function errorFormat(accept: string | null | undefined): Pick<Format, "encoding" | "pretty"> {
  try {
    return { encoding: negotiate(accept ?? null, false).encoding, pretty: false };
  } catch (error) {
    if (error instanceof ApiError) return PLAIN;
    throw error;
  }
}
