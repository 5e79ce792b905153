/** Paths that are no resources: discovery, OpenAPI, versions, health, keys, and joining. */
import { methodNotAllowed } from "../../lib/status.ts";
import type { Aggregation } from "../aggregation/aggregation.ts";
import { ExtensionDiscovery } from "../aggregation/discovery.ts";
import { sha256 } from "../auth/authenticate.ts";
import { ISSUER, type SigningKey } from "../auth/signing-key.ts";
import { aggregatedDiscovery, aggregatedType, aggregatedVersion } from "../discovery/aggregated.ts";
import { groupsOf } from "../discovery/groups.ts";
import { apiGroup, apiGroupList, apiResourceList, apiVersions, rootPaths } from "../discovery/legacy.ts";
import type { AppParts } from "../parts.ts";
import { answerError, answerJson, answerText } from "./answer.ts";
import { auditRoutes } from "./audit.ts";
import { backupRoutes, rewindRoutes } from "./backup.ts";
import { readText } from "./body.ts";
import { encryptionRoutes } from "./encryption.ts";
import { HEALTH_ENDPOINTS, health } from "./health.ts";
import { createJoinToken, join, joinTokenOf, listJoinTokens, newSecret, revokeJoinToken } from "./join.ts";
import { type Endpoint, type Format, negotiate, wantsPretty } from "./negotiate.ts";
import { openapiRoutes } from "./openapi.ts";
import type { PathContext as C, PathGuard, Paths } from "./paths.ts";
import { PageNotFound, unserved } from "./route.ts";
import { version } from "./version.ts";

export type PublicParts = AppParts & { key: SigningKey; aggregation: Aggregation };

const DOCUMENT: Endpoint = { collection: false, hasProtobuf: true, converts: "none", isRouted: true };
/** Those of groups are answered before anything is routed. */
const GROUPS: Endpoint = { ...DOCUMENT, isRouted: false };
const VERSION: Endpoint = { ...DOCUMENT, types: ["application/json"] };

function formatOf(c: C, endpoint: Endpoint): Format {
  const format = negotiate(c.req.header("accept") ?? null, endpoint);
  const pretty = wantsPretty(c.env.url.searchParams, c.req.header("user-agent") ?? "");
  return { ...format, pretty: format.pretty || pretty };
}

const answer = (c: C, document: object | undefined, code = 200, endpoint = DOCUMENT): Response =>
  document
    ? answerJson(JSON.stringify(document), { code, format: formatOf(c, endpoint) })
    : answerError(new PageNotFound());

/** The document with an ETag, or 304 for a client that has it. */
async function tagged(c: C, text: string, headers: Record<string, string>): Promise<Response> {
  const etag = `"${(await sha256(text)).toUpperCase()}"`;
  const all = { ...headers, etag, vary: "Accept" };
  if (c.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers: all });
  return answerJson(text, { code: 200, format: { encoding: "json", pretty: false }, headers: all });
}

function discoveryRoutes(app: Paths, guard: PathGuard, parts: PublicParts): void {
  const { kinds, aggregation, extensions, effects } = parts;
  const groups = () => groupsOf(kinds, aggregation.registrations());
  const described = new ExtensionDiscovery(extensions, effects.now);
  const root = (core: boolean, endpoint: Endpoint, legacy: (c: C) => object) => async (c: C) => {
    const wanted = aggregatedVersion(c.req.header("accept") ?? null);
    if (!wanted) return answer(c, legacy(c), 200, endpoint);
    const members = groups().filter(({ name }) => (name === "") === core);
    const document = JSON.stringify(await aggregatedDiscovery(members, wanted, (other) => described.describe(other)));
    return tagged(c, document, { "content-type": aggregatedType(wanted), "cache-control": "public" });
  };
  const resources = async (c: C, group: string, version: string) => {
    const list = await apiResourceList(kinds, group, version);
    if (!list) throw unserved(group);
    onlyGet(c);
    return answer(c, list);
  };
  app.all("/", guard, (c) => answer(c, rootPaths(groups())));
  const versions = root(true, DOCUMENT, (c) => apiVersions(new URL(c.req.url).host));
  app.all("/api", guard, (c) => {
    onlyGet(c);
    return versions(c);
  });
  app.all(
    "/apis",
    guard,
    root(false, GROUPS, () => apiGroupList(groups())),
  );
  app.all("/api/:version", guard, (c) => resources(c, "", c.req.param("version")));
  app.all("/apis/:group", guard, (c) => answer(c, apiGroup(groups(), c.req.param("group")), 200, GROUPS));
  app.all("/apis/:group/:version", guard, (c) => resources(c, c.req.param("group"), c.req.param("version")));
}

/** Throws the 405 of what can only be read. */
function onlyGet({ req: { method } }: C): void {
  if (method !== "GET") throw methodNotAllowed();
}

function healthRoutes(app: Paths, guard: PathGuard, { effects }: PublicParts): void {
  const respond = (c: C) => {
    const text = health(c.req.path, c.env.url.searchParams);
    if (text === undefined || c.req.path.endsWith("/")) return answerError(new PageNotFound());
    const answered = answerText(text);
    // A check by itself says no more than its word.
    if (c.req.path.lastIndexOf("/") > 0) answered.headers.delete("x-content-type-options");
    // workerd says none by itself; who asks compares its clock.
    answered.headers.set("date", new Date(effects.now()).toUTCString());
    return answered;
  };
  for (const endpoint of HEALTH_ENDPOINTS) {
    app.all(`/${endpoint}`, guard, respond);
    app.all(`/${endpoint}/*`, guard, respond);
  }
  app.all("/version", guard, (c) => {
    onlyGet(c);
    negotiate(c.req.header("accept") ?? null, VERSION);
    return answerJson(JSON.stringify(version), { code: 200, format: { encoding: "json", pretty: true } });
  });
}

/** https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery */
function issuerRoutes(app: Paths, guard: PathGuard, { key }: PublicParts): void {
  app.all("/.well-known/openid-configuration", guard, (c) => {
    onlyGet(c);
    return answer(c, {
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    });
  });
  app.all("/openid/v1/jwks", guard, async (c) => {
    onlyGet(c);
    return answerJson(JSON.stringify({ keys: [await key.publicKey()] }), {
      code: 200,
      format: { encoding: "json", pretty: false },
      headers: { "content-type": "application/jwk-set+json" },
    });
  });
}

function joinRoutes(app: Paths, guard: PathGuard, parts: PublicParts): void {
  const { batch, effects } = parts;
  const { ca, caHash } = parts.config;
  const joining = { ...parts, ca, caHash };
  // Whoever joins has no credential yet: the join token in the body is its authorization.
  app.post("/skerry/join", async (c) => {
    const body = await readText(c.req.raw);
    const presented = await sha256(joinTokenOf(body));
    const secret = await newSecret(effects, "node");
    return answer(c, await batch(() => join(joining, body, presented, secret)), 201);
  });
  app.post("/skerry/tokens", guard, async (c) => {
    const body = await readText(c.req.raw);
    const secret = await newSecret(effects, "join");
    return answer(c, await batch(() => createJoinToken(joining, body, secret)), 201);
  });
  app.get("/skerry/tokens", guard, async (c) => answer(c, await batch(() => listJoinTokens(joining))));
  app.delete("/skerry/tokens/:id", guard, async (c) =>
    answer(c, await batch(() => revokeJoinToken(joining, c.req.param("id")))),
  );
}

export function publicRoutes(app: Paths, guard: PathGuard, parts: PublicParts): void {
  discoveryRoutes(app, guard, parts);
  openapiRoutes(app, guard, parts);
  healthRoutes(app, guard, parts);
  issuerRoutes(app, guard, parts);
  joinRoutes(app, guard, parts);
  encryptionRoutes(app, guard, parts);
  auditRoutes(app, guard, parts);
  const { backups, used } = parts;
  // Of a control plane that is asked after all: who may is RBAC's to say, as of any path.
  if (used) app.get("/skerry/usage", guard, (c) => c.json(used()));
  if (!backups) return;
  backupRoutes(app, guard, { ...parts, backups });
  rewindRoutes(app, guard, { ...parts, backups });
}
