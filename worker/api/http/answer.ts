/** HTTP answers: objects, Status errors, plain text; the headers that all of them carry. */
import { encodeProtobuf, hasProtobuf } from "../../kinds/protobuf/envelope.ts";
import { headerBytes } from "../../lib/bytes.ts";
import { errorText } from "../../lib/error-text.ts";
import { ApiError, internalError, type Status } from "../../lib/status.ts";
import { TooManyRequests } from "../fairness/refusal.ts";
import { toYaml } from "./body.ts";
import { type Format, PROTOBUF } from "./negotiate.ts";
import { PageNotFound } from "./route.ts";

const INDENT = 2;

/** Control characters go not at all. */
function headerText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  const printable = text.replace(/[\u0000-\u001f\u007f]+/g, " ");
  return headerBytes(printable);
}

/** As kube-apiserver: past this many characters in all, each warning is cut, so that no client's header limit is hit. */
const MAX_WARNINGS = 4096;
const MAX_CUT_WARNING = 256;

function cut(warnings: readonly string[]): readonly string[] {
  const total = warnings.reduce((sum, warning) => sum + warning.length, 0);
  if (total <= MAX_WARNINGS) return warnings;
  return warnings.slice(0, MAX_WARNINGS / MAX_CUT_WARNING).map((warning) => warning.slice(0, MAX_CUT_WARNING));
}

/** RFC 7234 warn-code 299, as API servers send: `299 - "text"`. */
const warningHeader = (text: string) => `299 - "${headerText(text).replace(/[\\"]/g, "\\$&")}"`;

function withWarnings(fields: Record<string, string>, warnings: readonly string[]): Headers {
  const headers = new Headers(fields);
  for (const warning of cut(warnings)) headers.append("warning", warningHeader(warning));
  return headers;
}

/** What is true now may not be so for the next who asks. */
export const NOT_KEPT = "no-cache, private";

export const PLAIN = { encoding: "json", pretty: false } as const;

/** Beyond so many bytes, kube-apiserver compresses its answers for clients that ask for it, and so does the edge. */
const LARGE_BYTES = 128 * 1024;
/** Tells the edge of it, and every cache. */
export const LARGE = "Accept-Encoding";
export const isLarge = ({ length }: string | Uint8Array): boolean => length > LARGE_BYTES;

const TYPES = { json: "application/json", yaml: "application/yaml", protobuf: PROTOBUF };

/** `json` is a document as JSON text, or as the bytes that are to be sent. */
export function answerJson(
  json: string | Uint8Array,
  options: {
    code: number;
    format: Pick<Format, "encoding" | "pretty">;
    warnings?: readonly string[];
    headers?: Record<string, string>;
  },
): Response {
  const { code, format, warnings = [], headers = {} } = options;
  const fields: Record<string, string> = {
    "content-type": TYPES[format.encoding],
    "cache-control": NOT_KEPT,
    ...headers,
  };
  if (isLarge(json)) fields.vary = fields.vary ? `${fields.vary}, ${LARGE}` : LARGE;
  // A plain record is enough for most, and costs less.
  const answer = warnings.length > 0 ? withWarnings(fields, warnings) : fields;
  if (typeof json !== "string") return new Response(json, { status: code, headers: answer });
  if (format.encoding === "protobuf") return answerProtobuf(json, code, new Headers(answer));
  if (format.encoding === "yaml") return new Response(toYaml(JSON.parse(json)), { status: code, headers: answer });
  // Indented JSON ends without a new line, as kube-apiserver's does.
  if (format.pretty)
    return new Response(JSON.stringify(JSON.parse(json), undefined, INDENT), { status: code, headers: answer });
  return new Response(json.endsWith("\n") ? json : `${json}\n`, { status: code, headers: answer });
}

function answerProtobuf(json: string, code: number, headers: Headers): Response {
  const object = { apiVersion: "", kind: "", ...(JSON.parse(json) as object) };
  const can = hasProtobuf(object);
  headers.set("content-type", can ? TYPES.protobuf : TYPES.json);
  return new Response(can ? encodeProtobuf(object) : json, { status: code, headers });
}

export function answerText(text: string, code = 200, type = "text/plain; charset=utf-8"): Response {
  const headers = { "content-type": type, "x-content-type-options": "nosniff" };
  return new Response(text, { status: code, headers });
}

function asStatus(error: unknown): { status: Status; code: number } {
  const known = error instanceof ApiError ? error : internalError(errorText(error));
  return { status: known.status(), code: known.code };
}

/** Any error as its answer; what is no ApiError is a fault of ours and a 500. */
export function answerError(error: unknown, format: Pick<Format, "encoding" | "pretty"> = PLAIN): Response {
  if (error instanceof PageNotFound) return answerText("404 page not found\n", 404);
  if (error instanceof TooManyRequests) {
    const answer = answerText(`${error.message}\n`, 429);
    answer.headers.set("retry-after", String(error.retryAfter));
    return answer;
  }
  if (!(error instanceof ApiError)) console.error(error);
  const { status, code } = asStatus(error);
  const retry = status.details?.retryAfterSeconds;
  return answerJson(JSON.stringify(status), {
    code,
    format,
    headers: retry === undefined ? {} : { "retry-after": String(retry) },
  });
}
