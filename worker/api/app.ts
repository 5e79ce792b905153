/**
 * The Kubernetes API over HTTP: who asks, whether they may, what they mean, and the answer in the form they accept.
 * Bodies are read and tokens are verified first; then everything about a request happens in one synchronous turn.
 */
import { Hono, type MiddlewareHandler } from "hono";
import { ApiError, methodNotAllowed, unauthorized } from "../lib/status.ts";
import { ANONYMOUS, bearerToken, digest, identify, type Presented, sha256 } from "./auth/authenticate.ts";
import { requireAllowed } from "./auth/authorize.ts";
import { impersonate } from "./auth/impersonate.ts";
import { signingKey } from "./auth/signing-key.ts";
import type { Context as ReviewContext } from "./auth/virtual.ts";
import { answerError, PLAIN } from "./http/answer.ts";
import { type Format, negotiate } from "./http/negotiate.ts";
import { publicRoutes } from "./http/public.ts";
import { requestInfo } from "./http/request-info.ts";
import { type Admit, resources } from "./http/resources.ts";
import { PageNotFound } from "./http/route.ts";
import type { StreamGrant } from "./http/streams.ts";
import type { AppParts, Variables } from "./parts.ts";
import type { User, WatchSpec } from "./request.ts";

export type Api = {
  app: Hono<{ Variables: Variables }>;
  /** A watch for a socket: what to send, or an answer: the refusal, or what the path gives to one who cannot watch it. */
  openWatch(request: Request): Promise<WatchSpec | Response>;
  /** Exec, attach, port-forward or log: which node is to serve what, or the refusal. A 204 is an empty log. */
  authorizeStream(request: Request): Promise<StreamGrant | Response>;
  /** Who presents the request's token; nobody in particular without one. Throws the 401 for a bad one. */
  authenticate(request: Request): Promise<User>;
  /** A request by someone already known, as agents send on their socket. */
  call(user: User, request: Request): Promise<Response>;
};

export function createApp(parts: AppParts): Api {
  const { store, effects, config, security } = parts;
  const { authorizer, rbac } = security;
  const key = signingKey(store);
  const known = new WeakMap<Request, User>();
  const who: ReviewContext["identify"] = (presented, audiences) =>
    identify({ store, effects, adminTokenHash: config.adminTokenHash }, presented, audiences);

  async function present({ headers }: Request): Promise<Presented | undefined> {
    const token = bearerToken(headers);
    return token === undefined ? undefined : digest(key, token);
  }

  function userOf(presented: Presented | undefined): User {
    if (!presented) return ANONYMOUS;
    const identity = who(presented);
    if ("refused" in identity || identity.audiences.length === 0) throw unauthorized();
    return identity.user;
  }

  const admit: Admit = (request, presented, info) => {
    const user = known.get(request) ?? impersonate(authorizer, userOf(presented), request.headers);
    requireAllowed(authorizer, user, info);
    return user;
  };

  const review: ReviewContext = { store, effects, rbac, authorizer, key, identify: who };
  const served = resources({ ...parts, review, admit });
  const app = new Hono<{ Variables: Variables }>({ strict: false });

  app.use("*", async (c, next) => {
    await next();
    c.res.headers.set("audit-id", c.req.header("audit-id") ?? effects.uid());
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-cache, private");
  });
  app.onError((error, c) => answerError(error, errorFormat(c.req.header("accept"))));

  /** Authorizes paths at once; what is a resource is admitted in its own turn. */
  const guard: MiddlewareHandler<{ Variables: Variables }> = async (c, next) => {
    const info = requestInfo(c.req.method, new URL(c.req.url));
    const presented = await present(c.req.raw);
    if (info.type === "path") admit(c.req.raw, presented, info);
    c.set("info", info);
    c.set("presented", presented);
    await next();
  };
  publicRoutes(app, guard, { ...parts, key, hash: sha256 });
  app.all("*", guard, async (c) => {
    const { info, presented } = c.var;
    if (info.type === "resource") return served.answer(c.req.raw, info, presented);
    // Discovery's paths are served, so what is wrong there is the method.
    throw /^\/apis?(\/|$)/.test(info.path) && c.req.method !== "GET" ? methodNotAllowed() : new PageNotFound();
  });

  async function guarded<T>(request: Request, body: () => Promise<T>): Promise<T | Response> {
    try {
      return await body();
    } catch (error) {
      return answerError(error, errorFormat(request.headers.get("accept")));
    }
  }

  return {
    app,
    openWatch: (request) =>
      guarded(request, async () => (await served.watch(request, await present(request))) ?? app.fetch(request)),
    authorizeStream: (request) => guarded(request, async () => served.stream(request, await present(request))),
    authenticate: async (request) => userOf(await present(request)),
    async call(user, request) {
      known.set(request, user);
      return app.fetch(request);
    },
  };
}

/** Errors too come as the client accepts; JSON when that itself is the error. */
function errorFormat(accept: string | undefined | null): Pick<Format, "encoding" | "pretty"> {
  try {
    return { encoding: negotiate(accept ?? null, false).encoding, pretty: false };
  } catch (error) {
    if (error instanceof ApiError) return PLAIN;
    throw error;
  }
}
