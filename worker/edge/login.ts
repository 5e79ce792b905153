/**
 * Logging in to the page at an issuer of ID tokens: authorization code with PKCE. The page sends the browser there; the
 * code is exchanged here, since issuers seldom let pages of other origins ask them, and with the client's secret, where
 * it has one. Of a login nothing is kept: what proves that it is the page's own is the verifier, which only that browser
 * knows.
 * https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth, https://www.rfc-editor.org/rfc/rfc7636
 */
import { type Issuer, readAuthenticationConfig } from "../lib/authentication-config.ts";
import { boundedBody } from "../lib/bounded-body.ts";
import { errorText } from "../lib/error-text.ts";
import type { LoginClients } from "../lib/login-clients.ts";
import { ApiError, badRequest } from "../lib/status.ts";

/** `authorization` is a header's value. */
export type Sent = { form: URLSearchParams; authorization?: string };
/** The text of a document, to which something is sent where there is anything; rejects in words for the user, with a 400 what is refused for good. */
export type Ask = (url: string, timeoutMs: number, sent?: Sent) => Promise<string>;
/** How the deployment has people log in: its settings as they are, and what issuers said of themselves a moment ago. */
export type LoginParts = {
  authentication: string | undefined;
  clients: string | undefined;
  ask: Ask;
  now(): number;
  known: Map<string, Known>;
};
/** `at` in ms. */
export type Known = { at: number; configuration: Configuration };

const PATH = "/ui/login";
const TIMEOUT_MS = 10_000;
/** An issuer's configuration is asked for no more often: each login and each renewal need it. */
const KNOWN_MS = 60_000;
const MAX_BODY_BYTES = 64 * 1024;
/** Those of them that the issuer has: who one is, and a token by which a new one is had. */
const SCOPES = ["openid", "email", "profile", "groups", "offline_access"];

export const isLogin = (path: string): boolean => path === PATH;

/** What the page says: where to send the browser; a code that came back; or a former login that is to go on. */
type Asked = {
  issuer: string;
  code?: string;
  verifier?: string;
  redirectUri?: string;
  refreshToken?: string;
};

/** `GET` → who may be asked; `POST` → `{authorizationEndpoint, clientId, scope}`, or `{idToken, refreshToken?, at}`, which is when, in ms. */
export async function openLogin(request: Request, parts: LoginParts): Promise<Response> {
  const { authentication, now } = parts;
  // Cloudflare Access logs in before the page is there, and its teams have no such endpoints.
  const issuers = (authentication ? readAuthenticationConfig(JSON.parse(authentication)).issuers : []).filter(
    ({ keysUrl }) => keysUrl === undefined,
  );
  if (issuers.length === 0) throw new ApiError(404, "NotFound", "this cluster knows no issuer to log in at");
  const clients = JSON.parse(parts.clients ?? "{}") as LoginClients;
  if (request.method === "GET")
    return answer({ issuers: issuers.map(({ url }) => ({ url, name: clients[url]?.name ?? nameOf(url, issuers) })) });
  if (request.method !== "POST") throw new ApiError(405, "MethodNotAllowed", "GET and POST are allowed");
  // Other origins' pages cannot send this type without being allowed to.
  if (request.headers.get("content-type") !== "application/json") throw badRequest("JSON is expected");
  const asked = await read(request);
  const issuer = issuers.find(({ url }) => url === asked.issuer);
  if (!issuer) throw badRequest("the issuer is not one of this cluster");
  if (asked.code !== undefined && !isOfPage(asked, new URL(request.url)))
    throw badRequest("a code must come with the page's own redirectUri and the verifier of its challenge");
  try {
    return answer({ ...(await serve(issuer, asked, clients[issuer.url]?.clientSecret, parts)), at: now() });
  } catch (error) {
    const { code, reason } = error instanceof ApiError ? error : { code: 502, reason: "BadGateway" };
    throw new ApiError(code, reason, `the issuer ${issuer.url}: ${errorText(error)}`);
  }
}

/** https://www.rfc-editor.org/rfc/rfc7636#section-4.1 */
const VERIFIER = /^[\w.~-]{43,128}$/;
/** Of whichever cluster. */
const CALLBACK_PATH = /^(\/clusters\/[^/]+)?\/ui\/$/;

/** The client may be other programs' too, whose codes are not to be had for its secret. Proxies may have other ports. */
function isOfPage({ verifier, redirectUri }: Asked, { hostname }: URL): boolean {
  const back = URL.parse(String(redirectUri));
  return VERIFIER.test(verifier ?? "") && back?.hostname === hostname && CALLBACK_PATH.test(back.pathname);
}

/** Its host, and where others have the same, what tells it from them. */
function nameOf(url: string, issuers: readonly Issuer[]): string {
  const { host, pathname } = new URL(url);
  return issuers.filter((other) => new URL(other.url).host === host).length > 1 ? `${host}${pathname}` : host;
}

const answer = (body: object) =>
  Response.json(body, { headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" } });

async function read(request: Request): Promise<Asked> {
  const bytes = await boundedBody(request, MAX_BODY_BYTES, () => badRequest("the body is too large"));
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Asked;
  } catch {
    throw badRequest("JSON is expected");
  }
}

type Configuration = {
  issuer?: unknown;
  authorization_endpoint?: unknown;
  token_endpoint?: unknown;
  scopes_supported?: readonly string[];
  token_endpoint_auth_methods_supported?: readonly string[];
};

async function serve(issuer: Issuer, asked: Asked, secret: string | undefined, parts: LoginParts): Promise<object> {
  const configuration = await configurationOf(issuer, parts);
  const [clientId = ""] = issuer.audiences;
  const { code, verifier = "", redirectUri = "", refreshToken } = asked;
  if (code === undefined && refreshToken === undefined)
    return {
      authorizationEndpoint: endpoint(configuration.authorization_endpoint),
      clientId,
      scope: SCOPES.filter((each) => each === "openid" || configuration.scopes_supported?.includes(each)).join(" "),
    };
  const grant: Record<string, string> =
    refreshToken !== undefined
      ? { grant_type: "refresh_token", refresh_token: refreshToken }
      : { grant_type: "authorization_code", code: code ?? "", code_verifier: verifier, redirect_uri: redirectUri };
  const sent = signed(grant, configuration, clientId, secret);
  const given = JSON.parse(await parts.ask(endpoint(configuration.token_endpoint), TIMEOUT_MS, sent)) as {
    id_token?: string;
    refresh_token?: string;
  };
  if (!given.id_token) throw new Error("it gave no ID token");
  const next = given.refresh_token ?? refreshToken;
  return { idToken: given.id_token, ...(next && { refreshToken: next }) };
}

async function configurationOf({ url, discoveryUrl }: Issuer, { ask, now, known }: LoginParts): Promise<Configuration> {
  const before = known.get(url);
  if (before && now() - before.at < KNOWN_MS) return before.configuration;
  const configuration = JSON.parse(await ask(discoveryUrl, TIMEOUT_MS)) as Configuration;
  if (configuration.issuer !== url) throw new Error("its configuration is another issuer's");
  known.set(url, { at: now(), configuration });
  return configuration;
}

/** Who the client is: by its id alone, or by its secret in one of two ways. https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 */
function signed(
  grant: Record<string, string>,
  { token_endpoint_auth_methods_supported: ways = ["client_secret_basic"] }: Configuration,
  clientId: string,
  secret: string | undefined,
): Sent {
  if (secret === undefined) return { form: new URLSearchParams({ ...grant, client_id: clientId }) };
  if (!ways.includes("client_secret_basic"))
    return { form: new URLSearchParams({ ...grant, client_id: clientId, client_secret: secret }) };
  const [id, word] = [clientId, secret].map((text) => new URLSearchParams({ x: text }).toString().slice(2));
  return { form: new URLSearchParams(grant), authorization: `Basic ${btoa(`${id}:${word}`)}` };
}

function endpoint(url: unknown): string {
  if (typeof url !== "string" || !url.startsWith("https://")) throw new Error("its configuration lacks an endpoint");
  return url;
}
