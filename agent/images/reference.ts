/** More than a name (255), a tag (128) and a digest can have. */
const MAX_CHARACTERS = 1024;
const MAX_NAME_CHARACTERS = 255;

const word = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const domain = `(?:${word}(?:\\.${word})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const part = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const name = `${domain}/${part}(?:/${part})*`;
const tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const REFERENCE = new RegExp(`^(${name})(?::(${tag}))?(?:@(${digest}))?$`);
const IDENTIFIER = /^[a-f0-9]{64}$/;
const DIGEST_CHARACTERS: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };

/** What an image's name says, in full: `busybox` is `latest` of `docker.io/library/busybox`. */
export type Reference = {
  /** `docker.io`, `localhost:5000` */
  domain: string;
  /** With the domain, without tag and digest. */
  repository: string;
  /** `latest` where there is neither a tag nor a digest. */
  tag?: string;
  digest?: string;
};

/**
 * Why an image cannot have this name, or undefined when it can.
 * https://pkg.go.dev/github.com/distribution/reference
 */
export function imageNameProblem(image: string): string | undefined {
  const parsed = parse(image);
  return typeof parsed === "string" ? parsed : undefined;
}

/** Throws for what `imageNameProblem` has a word against. */
export function parseReference(image: string): Reference {
  const parsed = parse(image);
  if (typeof parsed === "string") throw new Error(`couldn't parse image name ${JSON.stringify(image)}: ${parsed}`);
  return parsed;
}

function parse(image: string): Reference | string {
  if (IDENTIFIER.test(image)) return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`;
  if (image.length > MAX_CHARACTERS) return "invalid reference format";
  const [host, rest] = splitHost(image);
  const path = rest.split(":")[0] ?? "";
  if (path.toLowerCase() !== path) return `invalid reference format: repository name (${path}) must be lowercase`;
  const found = REFERENCE.exec(`${host}/${rest}`);
  if (!found) return "invalid reference format";
  const [, repository = "", tagged, digested] = found;
  if (repository.length - host.length - 1 > MAX_NAME_CHARACTERS)
    return `repository name must not be more than ${MAX_NAME_CHARACTERS} characters`;
  const [algorithm = "", hash = ""] = digested?.split(":") ?? [];
  if (digested && !DIGEST_CHARACTERS[algorithm]) return "unsupported digest algorithm";
  if (digested && hash.length !== DIGEST_CHARACTERS[algorithm]) return "invalid checksum digest length";
  return { domain: host, repository, tag: tagged ?? (digested ? undefined : "latest"), digest: digested };
}

/** What is before the first slash is a registry's host when it looks like one. */
function splitHost(image: string): [host: string, rest: string] {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(slash, 0));
  const isHost = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  const host = !isHost || first === "index.docker.io" ? "docker.io" : first;
  const rest = isHost ? image.slice(slash + 1) : image;
  return [host, host === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest];
}

/** `latest` and no tag at all mean that it may change. */
export const defaultPullPolicy = (image: string): string =>
  parseReference(image).tag === "latest" ? "Always" : "IfNotPresent";

/** As containerd names an image: `busybox` → `docker.io/library/busybox:latest`; a digest makes its tag pointless. */
export function canonicalName(image: string): string {
  const { repository, tag: tagged, digest: digested } = parseReference(image);
  return digested ? `${repository}@${digested}` : `${repository}:${tagged}`;
}

/** As `canonicalName`, and what no image can be called as it is. */
export const anyName = (image: string): string => (imageNameProblem(image) ? image : canonicalName(image));

/** What a container's image is called when it was run by this word; undefined for digests and IDs, which do not tell. */
export function taggedName(image: string): string | undefined {
  return image.includes("@") || /^(sha256:)?[0-9a-f]+$/.test(image) ? undefined : canonicalName(image);
}

/** `busybox` → `docker.io/library/busybox`. */
export function fullName(name: string): string {
  const [host, rest] = splitHost(name);
  return `${host}/${rest}`;
}
