/** OpenAPI of extension servers: their part of version 2, and where their documents of version 3 are. */
import type { Extension } from "../../kinds/apiregistration/api-service.ts";
import type { OpenApiDocument } from "../../kinds/openapi.ts";
import { fnv32 } from "../../lib/fnv.ts";
import type { Extensions } from "./aggregation.ts";
import { Kept, question } from "./kept.ts";
import { mergeV2, type Swagger } from "./openapi-v2.ts";

type Location = { serverRelativeURL: string };
/** `print` tells documents apart. */
type Described = { document: Swagger; print: number };
type Theirs = { extension: Extension; answer: Described };

export class ExtensionOpenApi {
  readonly #locations: Kept<Location | undefined>;
  readonly #documents: Kept<Described>;
  /** The last that was merged, by what it was merged from. */
  #merged: { from: string; document: OpenApiDocument } | undefined;

  constructor(extensions: Extensions, now: () => number) {
    this.#locations = new Kept(extensions, now, locate);
    this.#documents = new Kept(extensions, now, describe);
  }

  /** By path, as the index of version 3 has it: `apis/GROUP/VERSION`. */
  async locations(extensions: readonly Extension[]): Promise<Record<string, Location>> {
    const found = await this.#locations.all(extensions);
    return Object.fromEntries(found.flatMap(({ extension, answer }) => (answer ? [[pathOf(extension), answer]] : [])));
  }

  /** The document of version 2, with theirs. */
  async withTheirs(own: OpenApiDocument, extensions: readonly Extension[]): Promise<OpenApiDocument> {
    const theirs = await this.#documents.all(extensions);
    if (theirs.length === 0) return own;
    const from = [own.hash, ...theirs.map(({ extension, answer }) => `${extension.name} ${answer.print}`)].join();
    if (this.#merged?.from !== from) this.#merged = { from, document: merge(own, theirs, from) };
    return this.#merged.document;
  }
}

function merge(own: OpenApiDocument, theirs: readonly Theirs[], from: string): OpenApiDocument {
  const merged = JSON.parse(own.text) as Swagger;
  for (const { extension, answer } of theirs) mergeV2(merged, answer.document, `/${pathOf(extension)}/`);
  return { text: JSON.stringify(merged), hash: `${own.hash}${fnv32(from).toString(16).toUpperCase()}` };
}

const pathOf = ({ group, version }: Extension) => `apis/${group}/${version}`;

async function locate(extensions: Extensions, extension: Extension): Promise<Location | undefined> {
  const { status, text } = await extensions.get(extension, question("/openapi/v3", "application/json"));
  if (status !== 200) return undefined;
  return (JSON.parse(text) as { paths?: Record<string, Location> }).paths?.[pathOf(extension)];
}

async function describe(extensions: Extensions, extension: Extension): Promise<Described> {
  const { status, text } = await extensions.get(extension, question("/openapi/v2", "application/json"));
  if (status !== 200) throw new Error(`no document of version 2: ${status}`);
  const document = JSON.parse(text) as Swagger | null;
  if (typeof document !== "object" || document === null) throw new Error("no document of version 2");
  return { document, print: fnv32(text) };
}
