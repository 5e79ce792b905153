/**
 * Which representation a client gets.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-representations
 */
import { ApiError, notAcceptable } from "../../lib/status.ts";
import { pathAndQuery } from "../../lib/url.ts";

export type Encoding = "json" | "yaml" | "protobuf";
/** `json` stands for the object as it is, in any encoding. */
export type Shape = "json" | "table" | "metadata" | "metadata-list";
export type Format = {
  encoding: Encoding;
  shape: Shape;
  /** Tables and metadata come under this version of `meta.k8s.io`. */
  metaVersion: "v1" | "v1beta1";
  pretty: boolean;
};

/** What can be answered at a path. */
export type Endpoint = {
  /** The path of a collection, which also streams: the refusal's text tells. */
  collection: boolean;
  /** Objects have a protobuf form; those of custom resources have none, though their metadata has. */
  hasProtobuf: boolean;
  /** Which other shapes it has: what is only asked and never kept has no rows, and documents have not even metadata. */
  converts: "all" | "metadata" | "none";
  /** What is asked for is compared with `types` as it is written before it is understood: not of custom resources. */
  isRouted: boolean;
  /** What there is, where it is not every encoding. */
  types?: readonly string[];
};

export type Clause = {
  type: string;
  subtype: string;
  parameters: ReadonlyMap<string, string>;
  quality: number;
};

/** A number above 0 when `b` is wanted more than `a`. */
const comesBefore = (a: Clause, b: Clause): boolean =>
  a.quality > b.quality || (a.type !== "*" && b.type === "*") || (a.subtype !== "*" && b.subtype === "*");

/** The clauses of an Accept header, the most wanted first; what cannot be read is passed over. */
export function parseAccept(header: string): Clause[] {
  const clauses: Clause[] = [];
  for (const text of header.split(",")) {
    const [media = "", ...rest] = text.split(";");
    const [type = "", subtype = type.trim() === "*" ? "*" : "", more] = media.split("/").map((part) => part.trim());
    if (subtype === "" || more !== undefined) continue;
    const pairs = rest.map((parameter) => parameter.split("=")).filter(({ length, 1: value }) => length === 2 && value);
    const parameters = new Map(pairs.map(([key = "", value = ""]) => [key.trim(), value.trim()]));
    const quality = parameters.has("q") ? Number(parameters.get("q")) || 0 : 1;
    // As kube-apiserver sorts them: its order is none by the book, so that how it is come by matters.
    let at = clauses.length;
    const clause = { type, subtype, parameters, quality };
    while (at > 0 && comesBefore(clause, clauses[at - 1] as Clause)) at -= 1;
    clauses.splice(at, 0, clause);
  }
  return clauses;
}

export const PROTOBUF = "application/vnd.kubernetes.protobuf";
/** In the order in which a wildcard takes them. */
const SUBTYPES: readonly [subtype: string, encoding: Encoding][] = [
  ["json", "json"],
  ["yaml", "yaml"],
  ["vnd.kubernetes.protobuf", "protobuf"],
];
const OBJECT_TYPES = ["application/json", "application/yaml", PROTOBUF];
const STREAM_TYPES = ["application/json;stream=watch", `${PROTOBUF};stream=watch`];

const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ["Table", "table"],
  ["PartialObjectMetadata", "metadata"],
  ["PartialObjectMetadataList", "metadata-list"],
]);

type Choice = Format & { quality: number };

/** What a clause comes to in an encoding; undefined where that is not to be had. */
function choice({ parameters, quality }: Clause, encoding: Encoding, endpoint: Endpoint): Choice | undefined {
  const given = (name: string) => parameters.get(name);
  const stream = given("stream");
  if (stream !== undefined && (stream !== "watch" || encoding === "yaml")) return undefined;
  if (parameters.has("sv") && given("sv") !== "v1") return undefined;
  const common = { encoding, pretty: given("pretty") === "1", quality };
  if (given("as") === undefined && given("g") === undefined && given("v") === undefined)
    return encoding === "protobuf" && !endpoint.hasProtobuf
      ? undefined
      : { ...common, shape: "json", metaVersion: "v1" };
  if (endpoint.converts === "none") return undefined;
  const shape = SHAPES.get(given("as") ?? "");
  const metaVersion = given("v");
  if (!shape || given("g") !== "meta.k8s.io" || (metaVersion !== "v1" && metaVersion !== "v1beta1")) return undefined;
  if (shape === "table" && (endpoint.converts !== "all" || encoding === "protobuf")) return undefined;
  return { ...common, shape, metaVersion };
}

function* choices(clauses: readonly Clause[], endpoint: Endpoint): Iterable<Choice> {
  for (const clause of clauses)
    for (const [subtype, encoding] of SUBTYPES) {
      const isAny = clause.subtype === "*" && (clause.type === "*" || clause.type === "application");
      if (!isAny && (clause.type !== "application" || clause.subtype !== subtype)) continue;
      const found = choice(clause, encoding, endpoint);
      if (found) yield found;
    }
}

/**
 * The first choice. Objects are stored as JSON and sent as they are, so whoever takes them in JSON as gladly as in
 * protobuf, as typed clients do, gets JSON.
 */
function chosen(header: string, endpoint: Endpoint): Format | undefined {
  const all = [...choices(parseAccept(header), endpoint)];
  const [first] = all;
  if (first?.encoding !== "protobuf" || first.shape !== "json") return first;
  const isAsGood = ({ encoding, shape, quality }: Choice) =>
    encoding === "json" && shape === "json" && quality >= first.quality;
  return all.find(isAsGood) ?? first;
}

/** Where a header names no type as it is written at the path, nothing more of it is looked at. */
const isRouted = (header: string, types: readonly string[]): boolean =>
  header.split(",").some((text) => {
    const type = (text.split(";")[0] as string).trim();
    return type === "*/*" || types.includes(type);
  });

const PLAIN_JSON: Format = { encoding: "json", shape: "json", metaVersion: "v1", pretty: false };

/** Clients ask in a few ways, again and again. */
const known = new Map<string, Format>();
const MAX_KNOWN = 200;

/** What the Accept header asks for, or the 406. `isWatch` wants what can be streamed. */
export function negotiate(accept: string | null, endpoint: Endpoint, isWatch = false): Format {
  if (!accept) return PLAIN_JSON;
  const { collection, hasProtobuf, converts, isRouted, types = OBJECT_TYPES } = endpoint;
  const key = `${isWatch} ${collection} ${hasProtobuf} ${converts} ${isRouted} ${types.length} ${accept}`;
  const found = known.get(key) ?? choose(accept, endpoint, isWatch);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, found);
  return found;
}

function choose(accept: string, endpoint: Endpoint, isWatch: boolean): Format {
  const { types = OBJECT_TYPES } = endpoint;
  if (endpoint.isRouted && !isRouted(accept, types)) {
    const available = endpoint.collection ? [...types, ...STREAM_TYPES] : types;
    const message = `406: Not Acceptable\n\nAvailable representations: ${available.join(", ")}`;
    throw new ApiError(406, "NotAcceptable", message, {});
  }
  const format = chosen(accept, endpoint);
  const refuse = (types: readonly string[]) =>
    notAcceptable(`only the following media types are accepted: ${types.join(", ")}`);
  if (!format) throw refuse(types);
  if (isWatch && format.encoding === "yaml") throw refuse(STREAM_TYPES);
  return format;
}

const ANY_STATUS: Endpoint = { collection: false, hasProtobuf: true, converts: "none", isRouted: false };

/** Errors too come as the client accepts; as JSON for people to read when that itself is the error. */
export function errorFormat(request: Request): Pick<Format, "encoding" | "pretty"> {
  const accept = request.headers.get("accept");
  const plain = accept ? [...choices(parseAccept(accept), ANY_STATUS)][0] : PLAIN_JSON;
  if (!plain) return { encoding: "json", pretty: true };
  const { searchParams } = pathAndQuery(request.url);
  return { encoding: plain.encoding, pretty: plain.pretty || wantsPretty(searchParams, userAgentOf(request)) };
}

const userAgentOf = (request: Request) => request.headers.get("user-agent") ?? "";

/** Browsers and curl read with human eyes unless they say otherwise. */
const HUMAN_AGENTS = ["curl", "Wget", "Mozilla/5.0"];
const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);

export function wantsPretty(query: URLSearchParams, userAgent: string): boolean {
  const pretty = query.get("pretty");
  if (pretty) return TRUE.has(pretty);
  return HUMAN_AGENTS.some((agent) => userAgent.startsWith(agent));
}
