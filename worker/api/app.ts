/**
 * The Kubernetes API over HTTP: who asks, whether they may, what they mean, and the answer in the form they accept.
 * Bodies are read and tokens are verified first; then everything about a request happens in one synchronous turn.
 */
import { Hono } from "hono";
import type { Extension } from "../kinds/apiregistration/api-service.ts";
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import { ApiError, badRequest, methodNotAllowed } from "../lib/status.ts";
import { pathAndQuery } from "../lib/url.ts";
import { Aggregation, type Forward } from "./aggregation/aggregation.ts";
import { recordingOf } from "./audit/policy.ts";
import { Recorder } from "./audit/recorder.ts";
import { Access } from "./auth/access.ts";
import type { Presented } from "./auth/authenticate.ts";
import { legacyClaims } from "./auth/service-accounts.ts";
import { answerError, answerText, NOT_KEPT } from "./http/answer.ts";
import { healthMetrics } from "./http/health.ts";
import { keepingOf } from "./http/kept-logs.ts";
import { metricSeriesRoutes } from "./http/metric-series.ts";
import { errorFormat } from "./http/negotiate.ts";
import type { PathEnv, PathGuard, Paths } from "./http/paths.ts";
import { publicRoutes } from "./http/public.ts";
import { registryRoutes } from "./http/registry.ts";
import { type Asked, asked, type RequestInfo, requestInfo } from "./http/request-info.ts";
import { requestsRoutes } from "./http/requests.ts";
import { Resources } from "./http/resources.ts";
import { PageNotFound } from "./http/route.ts";
import type { StreamGrant } from "./http/streams.ts";
import { checkTimeout } from "./http/timeout.ts";
import { isVolumeData, volumeGrant } from "./http/volume-data.ts";
import type { AppParts } from "./parts.ts";
import type { User, WatchSpec } from "./request.ts";

/** Of volumes, in the deployment's bucket: `edge/volume-backups.ts`. */
const IN_BUCKET = ["/skerry/volumes/:namespace/:claim/backups", "/skerry/transfers/:volume"];
/** What stays of logs, in the same place: `edge/kept-logs`. */
const KEPT_LOGS = ["/skerry/logs", "/skerry/logs/:namespace", "/skerry/logs/:namespace/:pod"];
/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Api = {
  fetch(request: Request): Promise<Response>;
  /** A token for a Secret that is to hold one. */
  signForSecret(of: Parameters<typeof legacyClaims>[0]): Promise<string>;
  /** A watch for a socket: what to send, or an answer: the refusal, or what the path gives where nothing is watched. */
  openWatch(request: Request): Promise<WatchSpec | Response>;
  /** The Audit-ID that the answer to a request names. */
  auditIdOf(request: Request): string;
  /** Exec, attach, port-forward or log: which node is to serve what, or the refusal. A 204 is an empty log. */
  authorizeStream(request: Request): Promise<StreamGrant | Response>;
  /** The server that what lies at a path is to be asked of; undefined where it is this one. */
  serverOf(pathname: string): Extension | undefined;
  /** How a request goes on to that server, or the refusal. */
  authorizeForward(request: Request, extension: Extension): Promise<Forward | Response>;
  /** Who presents the request's token; nobody in particular without one. Throws the 401 for a bad one. */
  authenticate(request: Request): Promise<User>;
  /** A request by someone already known, as agents send on their socket. */
  call(user: User, request: Request): Promise<Response>;
};

export function createApp(parts: AppParts): Api {
  const access = new Access(parts);
  const recorder = new Recorder(parts.audit, access, parts.effects);
  const resources = new Resources(parts, access, recorder);
  const aggregation = new Aggregation({
    view: parts.engine.view,
    effects: parts.effects,
    extensions: parts.extensions,
  });
  const paths = routes(parts, access, aggregation);

  async function guarded<T>(request: Request, body: () => Promise<T>): Promise<T | Response> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof ApiError) await recorder.refused(request, asked(request).info, error.code, error);
      return answerError(error, errorFormat(request));
    }
  }

  /** Paths that are no resources are recorded when they are answered, in a turn of their own. */
  async function answerPath(what: Asked): Promise<Response> {
    const { request, info } = what;
    const answer = await paths.fetch(request, what);
    const { status: code } = answer;
    await recorder.refused(request, info, code);
    if (code === 401 || code === 403 || recordingOf(info, undefined, false) === "none") return answer;
    const presented = await access.present(request);
    const draft = recorder.begin(request, info, access.sender(request, presented), presented);
    if (!draft) return answer;
    const ended = () => recorder.ended(draft, { code });
    // Where the answer was to a restore, there are no more turns of this memory.
    await parts.batch(ended).catch(ended);
    return answer;
  }

  /** What is a resource goes past the router: it is most of all requests, and `requestInfo` has found its way. */
  async function fetch(request: Request): Promise<Response> {
    const what = asked(request);
    const answer =
      what.info.type === "path"
        ? await answerPath(what)
        : await guarded(request, async () =>
            withoutBody(request, await resources.answer(what, await access.present(request))),
          );
    const { headers } = answer;
    headers.set("audit-id", recorder.idOf(request));
    if (!headers.has("cache-control")) headers.set("cache-control", NOT_KEPT);
    const flow = access.fairness.flowOf(request);
    if (flow) {
      headers.set("x-kubernetes-pf-flowschema-uid", flow.schemaUid);
      headers.set("x-kubernetes-pf-prioritylevel-uid", flow.levelUid);
    }
    return answer;
  }

  function grantVolume({ request, info }: Asked, presented: Presented | undefined): Promise<StreamGrant> {
    const user = access.admit(request, presented, info);
    const draft = recorder.begin(request, info, user, presented);
    return parts.batch(() => {
      const grant = volumeGrant(parts.engine.view, { method: request.method, path: info.path }, parts.effects.uid);
      if (draft) recorder.ended(draft, { stage: "ResponseStarted" });
      return grant;
    });
  }

  return {
    fetch,
    signForSecret: (of) => access.key.sign(legacyClaims(of)),
    openWatch: (request) =>
      guarded(
        request,
        async () => (await resources.watch(asked(request), await access.present(request))) ?? fetch(request),
      ),
    auditIdOf: (request) => recorder.idOf(request),
    authorizeStream: (request) =>
      guarded(request, async () => {
        const what = asked(request);
        const presented = await access.present(request);
        return isVolumeData(what.info.path) ? grantVolume(what, presented) : resources.stream(what, presented);
      }),
    serverOf: (pathname) => aggregation.serverOf(pathname),
    authorizeForward: (request, extension) =>
      guarded(request, async () => {
        const info = asDecoded(request);
        const presented = await access.present(request);
        const user = access.admit(request, presented, info);
        const draft = recorder.begin(request, info, user, presented);
        if (draft) await parts.batch(() => recorder.ended(draft, { stage: "ResponseStarted" }));
        return aggregation.forward(extension, user) ?? answerText("service unavailable\n", 503);
      }),
    authenticate: async (request) => access.userOf(await access.present(request)),
    async call(user, request) {
      access.vouch(request, user);
      return fetch(request);
    },
  };
}

/** What another server takes a URL for: to it a slash is one, escaped or not, and what is escaped twice stays so once. */
function asDecoded({ method, url }: Request): RequestInfo {
  const { pathname, searchParams } = pathAndQuery(url);
  try {
    return requestInfo(method, { pathname: decodeURIComponent(pathname).replaceAll("%", "%25"), searchParams });
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(pathname)}`);
  }
}

const withoutBody = ({ method }: Request, answer: Response): Response =>
  method === "HEAD" ? new Response(null, answer) : answer;

function routes(parts: AppParts, access: Access, aggregation: Aggregation): Paths {
  const app: Paths = new Hono<PathEnv>({ strict: false });
  app.onError((error, c) => answerError(error, errorFormat(c.req.raw)));

  const guard: PathGuard = async ({ env: { request, info } }, next) => {
    access.admit(request, await access.present(request), info);
    await next();
  };
  app.use(async (c, next) => {
    checkTimeout(c.env.url.searchParams);
    await next();
  });
  publicRoutes(app, guard, { ...parts, key: access.key, aggregation });
  app.get("/metrics", guard, () => answerText(access.fairness.metrics(), 200, METRICS_TYPE));
  app.get("/metrics/slis", guard, () => answerText(healthMetrics(), 200, METRICS_TYPE));
  // Who may is all that is known here: the Worker that has passed it on does it, as the bytes are not for this object.
  const granted = () => new Response(null, { status: 204, headers: { [GRANT_HEADER]: "1" } });
  app.on(
    ["GET", "PUT", "DELETE"],
    IN_BUCKET.flatMap((path) => [path, `${path}/*`]),
    guard,
    granted,
  );
  app.on("GET", KEPT_LOGS, guard, granted);
  app.post("/skerry/logs/:namespace/:pod/grant", async ({ env: { request, info, url }, req }) => {
    const user = access.admit(request, await access.present(request), info);
    const pod = { namespace: req.param("namespace"), name: req.param("pod"), uid: url.searchParams.get("uid") ?? "" };
    const keep = keepingOf(parts.store, parts.engine.view, user, pod);
    return Response.json(keep, { headers: { [GRANT_HEADER]: "1" } });
  });
  metricSeriesRoutes(app, access, parts);
  registryRoutes(app, guard, { view: parts.engine.view, ticketFor: parts.ticketFor });
  requestsRoutes(app, access, parts);
  app.all("*", guard, async (c) => {
    // Discovery's paths are served, so what is wrong there is the method.
    throw /^\/apis?(\/|$)/.test(c.env.info.path) && c.req.method !== "GET" ? methodNotAllowed() : new PageNotFound();
  });
  return app;
}
