/**
 * What a registry reads of a manifest or an index.
 * https://github.com/opencontainers/image-spec/blob/main/manifest.md, https://github.com/opencontainers/image-spec/blob/main/image-index.md
 */
import { RegistryError } from "./errors.ts";
import { isDigest } from "./names.ts";

export type ManifestFacts = {
  mediaType: string;
  artifactType: string;
  subject: string;
  /** JSON of the annotations where there is a subject, whose referrers are told with them; or "". */
  annotations: string;
  /** Digests that it cannot be pulled without. */
  needs: string[];
};

type Descriptor = { digest?: unknown; mediaType?: unknown; urls?: unknown };
type Manifest = {
  schemaVersion?: unknown;
  mediaType?: unknown;
  artifactType?: unknown;
  config?: Descriptor;
  layers?: Descriptor[];
  manifests?: Descriptor[];
  subject?: Descriptor;
  annotations?: unknown;
};

const INDEX_TYPES = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);

/** Clients are served it as the manifest's type: it is none that a browser would show. */
const MEDIA_TYPE = /^application\/[\w.+-]{1,127}$/;

/** Of a manifest this much may be in its descriptor, of which an answer about referrers has many. */
const MOST_TOLD = 64 * 1024;

/** Throws for what is none. */
export function readManifest(bytes: Uint8Array, contentType: string): ManifestFacts {
  const manifest = parsed(bytes);
  const mediaType = contentType.split(";")[0]?.trim() || text(manifest.mediaType);
  if (!mediaType) throw invalid("a manifest has a media type");
  if (!MEDIA_TYPE.test(mediaType)) throw invalid(`${JSON.stringify(mediaType)} is no media type of manifests`);
  if (manifest.mediaType !== undefined && manifest.mediaType !== mediaType)
    throw invalid(`the manifest says that it is ${JSON.stringify(manifest.mediaType)}, the request ${mediaType}`);
  const isIndex = INDEX_TYPES.has(mediaType);
  if (isIndex && !Array.isArray(manifest.manifests)) throw invalid("an index has a list of manifests");
  const parts = [
    ...(manifest.config ? [manifest.config] : []),
    ...list(manifest.layers).filter((layer) => !isElsewhere(layer)),
    ...list(manifest.manifests),
  ];
  const artifactType = text(manifest.artifactType) || text(manifest.config?.mediaType);
  const subject = manifest.subject ? digestIn(manifest.subject) : "";
  const annotations = subject && annotationsOf(manifest);
  if (artifactType.length + annotations.length > MOST_TOLD)
    throw invalid(`annotations and the artifact type are limited to ${MOST_TOLD} characters of JSON`);
  return {
    mediaType,
    artifactType,
    subject,
    annotations,
    needs: [...new Set(parts.map(digestIn))],
  };
}

function parsed(bytes: Uint8Array): Manifest {
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw invalid("the manifest is no JSON");
  }
  const manifest = found as Manifest | null;
  if (typeof manifest !== "object" || manifest?.schemaVersion !== 2)
    throw invalid("a manifest has schemaVersion 2: older ones are not served");
  return manifest;
}

function annotationsOf({ annotations }: Manifest): string {
  if (annotations === undefined || annotations === null) return "";
  const isMap = typeof annotations === "object" && !Array.isArray(annotations);
  if (isMap && Object.values(annotations).every((value) => typeof value === "string"))
    return JSON.stringify(annotations);
  throw invalid("annotations are a map of strings");
}

/** Layers that may be pushed to no registry: they lie where their URLs say. */
const isElsewhere = ({ mediaType }: Descriptor) => /\.nondistributable\.|\.foreign\./.test(text(mediaType));

function digestIn({ digest }: Descriptor): string {
  if (typeof digest === "string" && isDigest(digest)) return digest;
  throw invalid(`${JSON.stringify(digest ?? "")} is no digest`);
}

function list(value: unknown): Descriptor[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "object" && item !== null)) return value;
  throw invalid("descriptors are a list of objects");
}

const text = (value: unknown) => (typeof value === "string" ? value : "");
const invalid = (message: string) => new RegistryError("MANIFEST_INVALID", message);
