/**
 * The Kubernetes API over HTTP: who asks, whether they may, what they mean, and the answer in the form they accept.
 * Bodies are read and tokens are verified first; then everything about a request happens in one synchronous turn.
 */
import { Hono, type MiddlewareHandler } from "hono";
import { ApiError, methodNotAllowed } from "../lib/status.ts";
import { Access } from "./auth/access.ts";
import { answerError, PLAIN } from "./http/answer.ts";
import { type Format, negotiate } from "./http/negotiate.ts";
import { publicRoutes } from "./http/public.ts";
import { requestInfo } from "./http/request-info.ts";
import { Resources } from "./http/resources.ts";
import { PageNotFound } from "./http/route.ts";
import type { StreamGrant } from "./http/streams.ts";
import type { AppParts, Variables } from "./parts.ts";
import type { User, WatchSpec } from "./request.ts";

type App = Hono<{ Variables: Variables }>;

export type Api = {
  app: App;
  /** A watch for a socket: what to send, or an answer: the refusal, or what the path gives where nothing is watched. */
  openWatch(request: Request): Promise<WatchSpec | Response>;
  /** Exec, attach, port-forward or log: which node is to serve what, or the refusal. A 204 is an empty log. */
  authorizeStream(request: Request): Promise<StreamGrant | Response>;
  /** Who presents the request's token; nobody in particular without one. Throws the 401 for a bad one. */
  authenticate(request: Request): Promise<User>;
  /** A request by someone already known, as agents send on their socket. */
  call(user: User, request: Request): Promise<Response>;
};

export function createApp(parts: AppParts): Api {
  const access = new Access(parts);
  const resources = new Resources(parts, access);
  const app = routes(parts, access, resources);
  return {
    app,
    openWatch: (request) =>
      guarded(
        request,
        async () => (await resources.watch(request, await access.present(request))) ?? app.fetch(request),
      ),
    authorizeStream: (request) =>
      guarded(request, async () => resources.stream(request, await access.present(request))),
    authenticate: async (request) => access.userOf(await access.present(request)),
    async call(user, request) {
      access.vouch(request, user);
      return app.fetch(request);
    },
  };
}

function routes(parts: AppParts, access: Access, resources: Resources): App {
  const app: App = new Hono<{ Variables: Variables }>({ strict: false });
  app.use("*", async (c, next) => {
    await next();
    c.res.headers.set("audit-id", c.req.header("audit-id") ?? parts.effects.uid());
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-cache, private");
  });
  app.onError((error, c) => answerError(error, errorFormat(c.req.header("accept"))));

  /** Authorizes paths at once; what is a resource is admitted in its own turn. */
  const guard: MiddlewareHandler<{ Variables: Variables }> = async (c, next) => {
    const info = requestInfo(c.req.method, new URL(c.req.url));
    const presented = await access.present(c.req.raw);
    if (info.type === "path") access.admit(c.req.raw, presented, info);
    c.set("info", info);
    c.set("presented", presented);
    await next();
  };
  publicRoutes(app, guard, { ...parts, key: access.key });
  app.all("*", guard, async (c) => {
    const { info, presented } = c.var;
    if (info.type === "resource") return resources.answer(c.req.raw, presented);
    // Discovery's paths are served, so what is wrong there is the method.
    throw /^\/apis?(\/|$)/.test(info.path) && c.req.method !== "GET" ? methodNotAllowed() : new PageNotFound();
  });
  return app;
}

async function guarded<T>(request: Request, body: () => Promise<T>): Promise<T | Response> {
  try {
    return await body();
  } catch (error) {
    return answerError(error, errorFormat(request.headers.get("accept")));
  }
}

/** Errors too come as the client accepts; JSON when that itself is the error. */
function errorFormat(accept: string | undefined | null): Pick<Format, "encoding" | "pretty"> {
  try {
    return { encoding: negotiate(accept ?? null, false, true).encoding, pretty: false };
  } catch (error) {
    if (error instanceof ApiError) return PLAIN;
    throw error;
  }
}
