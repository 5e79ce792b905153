/**
 * Which representation a client gets.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-representations
 */
import { ApiError, notAcceptable } from "../../lib/status.ts";

/** `json` also stands for YAML: the object as it is. */
export type Shape = "json" | "table" | "metadata";
export type Format = {
  encoding: "json" | "yaml" | "protobuf";
  shape: Shape;
  pretty: boolean;
};

export type Clause = { type: string; parameters: Record<string, string>; quality: number };

/** The clauses of an Accept header, the most wanted first. */
export function parseAccept(header: string | null): Clause[] {
  const clauses = (header ?? "").split(",").flatMap((text) => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    if (!type) return [];
    const parameters = Object.fromEntries(
      rest.map((parameter) => {
        const [key = "", value = ""] = parameter.split("=");
        return [key.trim().toLowerCase(), value.trim().replace(/^"|"$/g, "")];
      }),
    );
    const quality = Number(parameters.q ?? 1);
    return [{ type: type.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 1 }];
  });
  return clauses.toSorted((a, b) => b.quality - a.quality);
}

const ENCODINGS: Readonly<Record<string, Format["encoding"]>> = {
  "application/json": "json",
  "application/*": "json",
  "*/*": "json",
  "application/yaml": "yaml",
};

const SHAPES: Readonly<Record<string, Shape>> = {
  "": "json",
  Table: "table",
  PartialObjectMetadata: "metadata",
  PartialObjectMetadataList: "metadata",
};

/** Representations of an object that the answer to an unknown Accept header names, as kube-apiserver names them. */
const OBJECT_TYPES = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const STREAM_TYPES = `${OBJECT_TYPES}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch`;

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const KNOWN_TO_KUBERNETES = new Set([...Object.keys(ENCODINGS), PROTOBUF]);

/**
 * What the Accept header asks for, or the 406. `collection` paths also stream, which the refusal's text tells.
 * Objects are stored as JSON and sent as they are, so protobuf is written only for those who take nothing else, and
 * where `hasProtobuf` says that it can be. What is only asked and never kept has no rows, and `hasTable` is false.
 */
export function negotiate(
  accept: string | null,
  collection: boolean,
  hasProtobuf = false,
  hasTable = true,
): Omit<Format, "pretty"> {
  const clauses = parseAccept(accept);
  if (clauses.length === 0) return { encoding: "json", shape: "json" };
  for (const { type, parameters } of clauses) {
    const encoding = ENCODINGS[type];
    const shape = SHAPES[parameters.as ?? ""];
    if (!encoding || !shape || (shape === "table" && !hasTable)) continue;
    if (shape === "json") return { encoding, shape };
    if (parameters.g === "meta.k8s.io" && parameters.v === "v1") return { encoding, shape };
  }
  if (hasProtobuf && clauses.some(({ type, parameters }) => type === PROTOBUF && parameters.as === undefined))
    return { encoding: "protobuf", shape: "json" };
  if (clauses.some(({ type }) => KNOWN_TO_KUBERNETES.has(type)))
    throw notAcceptable("only the following media types are accepted: application/json, application/yaml");
  const available = collection ? STREAM_TYPES : OBJECT_TYPES;
  throw new ApiError(406, "NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${available}`, {});
}

/** Browsers and curl read with human eyes unless they say otherwise. */
const HUMAN_AGENTS = ["curl", "Wget", "Mozilla/5.0"];

export function wantsPretty(query: URLSearchParams, userAgent: string): boolean {
  const pretty = query.get("pretty");
  if (pretty !== null) return pretty !== "false" && pretty !== "0";
  return HUMAN_AGENTS.some((agent) => userAgent.startsWith(agent));
}
