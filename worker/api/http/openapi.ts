/** OpenAPI documents: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-interface-definition */
import { loadDescriptions } from "../../kinds/openapi/descriptions.ts";
import { openapiV2, openapiV2Binary, openapiV3, openapiV3Index } from "../../kinds/openapi.ts";
import type { Aggregation } from "../aggregation/aggregation.ts";
import { ExtensionOpenApi } from "../aggregation/openapi.ts";
import type { AppParts } from "../parts.ts";
import { isLarge, LARGE } from "./answer.ts";
import { parseAccept } from "./negotiate.ts";
import type { PathGuard, Paths } from "./paths.ts";

const YEAR_SECONDS = 365 * 24 * 3600;
const JSON_TYPES = ["application/json", "application/*", "*/*"];
/** Both spellings are in use; the one with `@` is no media type by the book. */
const BINARY_TYPES = [
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
];

/** The first of `served` that the client accepts. */
function accepted(accept: string | undefined, served: readonly string[]): string | undefined {
  const clauses = parseAccept(accept ?? "");
  const found =
    clauses.length === 0
      ? served[0]
      : clauses.map(({ type, subtype }) => `${type}/${subtype}`).find((type) => served.includes(type));
  return found;
}

/** As kube-apiserver, without a word. */
const notAcceptable = () => new Response(null, { status: 406 });

type Document = { body: string | Uint8Array<ArrayBuffer>; type: string; hash: string };

/** 304 for a client that has it; forever fresh where the URL names the hash. */
function respond(request: Request, { body, type, hash }: Document, immutable: boolean): Response {
  const etag = `"${hash}"`;
  const vary = isLarge(body) ? `Accept, ${LARGE}` : "Accept";
  const headers: Record<string, string> = { "content-type": type, etag, vary };
  headers["cache-control"] = immutable ? `public, immutable, max-age=${YEAR_SECONDS}` : "no-cache, private";
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
  return new Response(body, { headers });
}

export type OpenApiParts = Pick<AppParts, "kinds" | "extensions" | "effects"> & { aggregation: Aggregation };

export function openapiRoutes(
  app: Paths,
  guard: PathGuard,
  { kinds, aggregation, extensions, effects }: OpenApiParts,
): void {
  const documents = new ExtensionOpenApi(extensions, effects.now);
  const others = () => aggregation.registrations().flatMap(({ extension }) => extension ?? []);
  app.get("/openapi/v2", guard, async (c) => {
    const type = accepted(c.req.header("accept"), [...JSON_TYPES, ...BINARY_TYPES]);
    if (!type) return notAcceptable();
    await loadDescriptions();
    const document = await documents.withTheirs(openapiV2(kinds), others());
    if (BINARY_TYPES.includes(type)) {
      const { bytes, hash } = openapiV2Binary(document);
      return respond(c.req.raw, { body: bytes, type: BINARY_TYPES[1] as string, hash }, false);
    }
    const { text, hash } = document;
    return respond(c.req.raw, { body: text, type: "application/json", hash }, false);
  });

  app.get("/openapi/v3", guard, async (c) => {
    if (!accepted(c.req.header("accept"), JSON_TYPES)) return notAcceptable();
    const { text, hash } = openapiV3Index(kinds, await documents.locations(others()));
    // So kube-apiserver calls it.
    return respond(c.req.raw, { body: text, type: "text/plain; charset=utf-8", hash }, false);
  });

  app.get("/openapi/v3/:path{.+}", guard, async (c) => {
    if (!accepted(c.req.header("accept"), JSON_TYPES)) return notAcceptable();
    const path = c.req.param("path");
    await loadDescriptions();
    const document = openapiV3(kinds, path);
    if (!document) return new Response(null, { status: 404 });
    const asked = c.req.query("hash");
    // A URL with a hash is cached for ever, so it may only answer with the document of that hash. The way there is
    // relative, as a cluster may be served below a prefix that only the edge knows.
    if (asked !== undefined && asked !== document.hash) return c.redirect(`?hash=${document.hash}`, 301);
    const { text, hash } = document;
    return respond(c.req.raw, { body: text, type: "application/json", hash }, asked !== undefined);
  });
}
