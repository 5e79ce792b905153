/** Request bodies: their limit, their media types, and YAML made JSON before anyone else looks. */
import { type Document, isScalar, LineCounter, parseDocument, stringify, type Tags, visit } from "yaml";
import { canonical } from "../../kinds/patch/fields/element.ts";
import { decodeProtobuf, ProtobufError } from "../../kinds/protobuf/envelope.ts";
import { concat, hex } from "../../lib/bytes.ts";
import { errorText } from "../../lib/error-text.ts";
import { ApiError, badRequest, tooLarge, unsupportedMediaType } from "../../lib/status.ts";
import { unrecognized } from "../engine/body.ts";
import type { ApiRequest } from "../request.ts";
import { PROTOBUF } from "./negotiate.ts";

/** As kube-apiserver: https://kubernetes.io/docs/reference/using-api/api-concepts/ (etcd's limit with headroom). */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

const tooLargeBody = () => tooLarge(`Request entity too large: limit is ${MAX_BODY_BYTES}`);

/** Of a body past the limit, what is read and dropped: many clients hear no answer before they have sent everything. */
const MAX_DROPPED_BYTES = 16 * 1024 * 1024;

/** Keeps no more than the limit, and stops reading soon after it, so that an endless body costs little more. */
async function readBytes(request: Request): Promise<Uint8Array> {
  const stated = Number(request.headers.get("content-length") ?? Number.NaN);
  if (stated > MAX_DROPPED_BYTES) throw tooLargeBody();
  if (!request.body) return new Uint8Array();
  if (stated <= MAX_BODY_BYTES) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (size > MAX_DROPPED_BYTES) break;
  }
  if (size > MAX_BODY_BYTES) throw tooLargeBody();
  return concat(chunks);
}

const decoder = new TextDecoder("utf-8");

export const readText = async (request: Request): Promise<string> => decoder.decode(await readBytes(request));

/** A body as it was sent, with its media type. */
export type Body = { type: string; bytes: Uint8Array };
/** What a body is to be: the type that it has when it names none. */
export type Expected = { apiVersion: string; kind: string };

/** Throws 413. */
export async function readBody(request: Request): Promise<Body> {
  return { type: mediaType(request), bytes: await readBytes(request) };
}

/** The text of a body and the media type that it has as such: protobuf becomes JSON. Throws 400 for bad bytes. */
export function textOf({ type, bytes }: Body, expected: Expected): { type: string; text: string } {
  if (type !== PROTOBUF) return { type, text: decoder.decode(bytes) };
  try {
    return { type: "application/json", text: JSON.stringify(decodeProtobuf(bytes, expected)) };
  } catch (error) {
    throw error instanceof ProtobufError ? badRequest(unreadable(error, bytes, expected)) : error;
  }
}

const SUMMARY_BYTES = 30;

const OPEN_BRACE = 0x7b;

/** In the words of kube-apiserver. */
function unreadable({ message, type }: ProtobufError, bytes: Uint8Array, { kind }: Expected): string {
  if (kind === "DeleteOptions") return message;
  if (type?.kind)
    return `${type.kind} in version "${type.apiVersion.split("/").at(-1)}" cannot be handled as a ${kind}: ${message}`;
  const head = bytes.subarray(0, SUMMARY_BYTES);
  const shown = head[0] === OPEN_BRACE ? decoder.decode(head) : hex(head);
  const summary = `${shown || "<empty>"}${bytes.length > SUMMARY_BYTES ? " ..." : ""}`;
  return `the object provided is unrecognized (must be of type ${kind}): ${message} (${summary})`;
}

/**
 * Patches are known by their exact name, as kube-apiserver compares it. Elsewhere a parameter without a value makes a
 * header into none that is known.
 */
function mediaType({ method, headers }: Request): string {
  const header = headers.get("content-type") ?? "";
  const [type = "", ...parameters] = header.split(";");
  if (method === "PATCH") return type;
  return parameters.every((text) => text.trim() === "" || text.includes("=")) ? type.trim().toLowerCase() : header;
}

export const APPLY = "application/apply-patch+yaml";
const OBJECT_TYPES = ["application/json", "application/yaml"];
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  APPLY,
];

/** Custom resources have no strategic merge patch; it is refused where it is applied. */
const CUSTOM_PATCH_TYPES = PATCH_TYPES.filter((type) => !type.includes("strategic"));

/**
 * The 415, unless a body of the type can be read: protobuf holds only what has `numbers` for its fields. Of the paths of
 * custom resources nothing looks at the type before that.
 */
export function checkBodyType(method: string, type: string, hasNumbers: boolean, isCustom: boolean): void {
  const isPatch = method === "PATCH";
  const accepted = isPatch ? PATCH_TYPES : hasNumbers ? [...OBJECT_TYPES, PROTOBUF] : OBJECT_TYPES;
  if ((type === "" && !isPatch) || accepted.includes(type)) return;
  if (isPatch && !isCustom) throw new ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  const named = isPatch ? CUSTOM_PATCH_TYPES : [...OBJECT_TYPES, PROTOBUF];
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${named.join(", ")}`,
  );
}

/** A number has a digit: the library takes `.` for one too, which field sets are full of. */
const NUMBER = /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)$/;
const isDot = (test: RegExp | undefined) => test?.test(".") === true;

/** YAML 1.1 as Kubernetes' tools read it: no dates, no numbers in base 60. */
const withoutSurprises = (tags: Tags): Tags =>
  tags.flatMap((tag): Tags => {
    if (typeof tag !== "object") return [tag];
    const { format, test } = tag as { format?: string; test?: RegExp };
    if (tag.tag === "tag:yaml.org,2002:timestamp" || format === "TIME") return [];
    return [tag.tag === "tag:yaml.org,2002:float" && isDot(test) ? ({ ...tag, test: NUMBER } as typeof tag) : tag];
  });

/** The document as JSON, and in go-yaml's words the keys that one of its maps has twice; the last of them counts. */
function yamlToJson(text: string, refuse: (why: string) => ApiError): { body: string; repeated: string[] } {
  try {
    const lineCounter = new LineCounter();
    const options = { version: "1.1", uniqueKeys: false, customTags: withoutSurprises, logLevel: "error" } as const;
    const document = parseDocument(text, { ...options, lineCounter });
    // Of several documents the first counts.
    const wrong = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
    if (wrong) throw wrong;
    // Go's maps have no order, and come out sorted.
    const body = canonical(document.toJS({ maxAliasCount: 100 }) ?? null);
    return { body, repeated: repeatedKeys(document, lineCounter) };
  } catch (error) {
    // The parser calls itself for each level.
    if (error instanceof RangeError) throw refuse("yaml: exceeded max depth");
    throw refuse(`yaml: ${errorText(error)}`);
  }
}

function repeatedKeys(document: Document, lines: LineCounter): string[] {
  const found: string[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const line = lines.linePos(key.range?.[0] ?? 0).line;
        if (seen.has(key.value))
          found.push(`line ${line}: key ${JSON.stringify(String(key.value))} already set in map`);
        seen.add(key.value);
      }
    },
  });
  return found;
}

export const toYaml = (value: unknown): string =>
  stringify(value, {
    version: "1.1",
    sortMapEntries: true,
    lineWidth: 0,
    indentSeq: false,
    aliasDuplicateObjects: false,
  });

function isJson(text: string): boolean {
  if (!/^\s*\{/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The body as JSON text and what it is. Patches in YAML keep their type: JSON is YAML. */
export function understood(
  type: string,
  text: string,
  expected: { kind: string },
): Pick<ApiRequest, "contentType" | "body" | "repeatedKeys"> {
  if (type === "") return { contentType: "application/json", body: text };
  const applies = type === APPLY;
  if (applies ? isJson(text) : type !== "application/yaml") return { contentType: type, body: text };
  const refuse = (why: string) =>
    applies
      ? badRequest(`error decoding YAML: error converting YAML to JSON: ${why}`)
      : unrecognized(expected, text, why);
  const { body, repeated } = yamlToJson(text, refuse);
  const contentType = type === "application/yaml" ? "application/json" : type;
  return { contentType, body, ...(repeated.length && { repeatedKeys: repeated }) };
}
