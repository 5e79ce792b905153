/**
 * The page of a cluster, at `/ui/`: files that are the same for all clusters, with headers by which a browser lets them
 * speak to their own origin alone and shows them in no other page. They need no permission; what the page asks for does.
 */
import { compressed } from "./gzip.ts";

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  webmanifest: "application/manifest+json",
};

/** Of what the bundler names by its content. */
const HASHED = /-[A-Z0-9]{8}\.\w+$/;

/** The folder of the page's files, as a binding has it. */
type Files = { fetch(url: string): Promise<Response> };

const policyWith = (formAction: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
  ].join("; ");

/** The page's own address, and the cluster's where a browser asks for it: of others the API lists its paths. */
export const isPage = (request: Request, path: string): boolean =>
  /^\/ui(\/|$)/.test(path) || (path === "/" && (request.headers.get("accept") ?? "").includes("text/html"));

/**
 * `outside` is the path by which the client asked: before `/ui/` the cluster's name may be. `formAction` is the source that
 * alone forms may be sent to.
 */
export async function openPage(
  request: Request,
  outside: string,
  files: Files | undefined,
  formAction = "'none'",
): Promise<Response> {
  const { pathname } = new URL(request.url);
  const prefix = outside
    .slice(0, outside.length - (outside.endsWith(pathname) ? pathname.length : 0))
    .replace(/\/$/, "");
  if (request.method !== "GET" && request.method !== "HEAD")
    return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  if (!pathname.startsWith("/ui/")) return new Response(null, { status: 302, headers: { location: `${prefix}/ui/` } });
  const name = pathname.slice("/ui/".length) || "index.html";
  const type = /^[\w-]+\.(\w+)$/.exec(name)?.[1] ?? "";
  const found = Object.hasOwn(TYPES, type) ? await files?.fetch(`https://page/${name}`) : undefined;
  if (found?.status !== 200) return new Response("There is no such file.\n", { status: 404 });
  const headers = new Headers({
    "content-type": TYPES[type] ?? "",
    "cache-control": HASHED.test(name) ? "public, max-age=31536000, immutable" : "no-cache",
    "content-security-policy": policyWith(formAction),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    // Not to share a process with what other hosts of its site show.
    "origin-agent-cluster": "?1",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    vary: "accept-encoding",
  });
  return compressed(request, new Response(request.method === "HEAD" ? null : found.body, { headers }));
}
