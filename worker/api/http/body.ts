/** Request bodies: their limit, their media types, and YAML made JSON before anyone else looks. */
import { parse, stringify, type Tags } from "yaml";
import { ApiError, badRequest, tooLarge, unsupportedMediaType } from "../../lib/status.ts";

/** As kube-apiserver: https://kubernetes.io/docs/reference/using-api/api-concepts/ (etcd's limit with headroom). */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

const tooLargeBody = () => tooLarge(`limit is ${MAX_BODY_BYTES}`);

/** Stops reading at the limit, so that an endless body costs no more than a large one. */
export async function readBody(request: Request): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLargeBody();
  if (!request.body) return "";
  const decoder = new TextDecoder("utf-8");
  let text = "";
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLargeBody();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

export const mediaType = (header: string | null): string => (header ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

const OBJECT_TYPES = ["application/json", "application/yaml"];
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];

/** The media type of a request's body, or the 415. */
export function bodyType(method: string, header: string | null): string {
  const type = mediaType(header);
  if (method === "PATCH") {
    if (PATCH_TYPES.includes(type)) return type;
    throw new ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  }
  if (type === "") return "application/json";
  if (OBJECT_TYPES.includes(type)) return type;
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${OBJECT_TYPES.join(", ")}`,
  );
}

/** YAML 1.1 as Kubernetes' tools read it: no dates, no numbers in base 60. */
const withoutSurprises = (tags: Tags): Tags =>
  tags.filter(
    (tag) =>
      typeof tag !== "object" ||
      (tag.tag !== "tag:yaml.org,2002:timestamp" && (tag as { format?: string }).format !== "TIME"),
  );

export function yamlToJson(text: string): string {
  try {
    const value: unknown = parse(text, {
      version: "1.1",
      uniqueKeys: false,
      customTags: withoutSurprises,
      maxAliasCount: 100,
    });
    return JSON.stringify(value ?? null);
  } catch (error) {
    throw badRequest(`yaml: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export const toYaml = (value: unknown): string =>
  stringify(value, { version: "1.1", sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });

/** The body as JSON text and what it is. Patches in YAML keep their type: JSON is YAML. */
export function understood(type: string, text: string): { contentType: string; body: string } {
  if (type === "application/yaml") return { contentType: "application/json", body: yamlToJson(text) };
  if (type === "application/apply-patch+yaml" && !/^\s*\{/.test(text))
    return { contentType: type, body: yamlToJson(text) };
  return { contentType: type, body: text };
}
