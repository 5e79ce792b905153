/** More than a name (255), a tag (128) and a digest can have. */
const MAX_CHARACTERS = 1024;
const MAX_NAME_CHARACTERS = 255;

const word = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const domain = `(?:${word}(?:\\.${word})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const part = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const name = `${domain}/${part}(?:/${part})*`;
const tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const REFERENCE = new RegExp(`^(${name})(?::${tag})?(?:@${digest})?$`);
const IDENTIFIER = /^[a-f0-9]{64}$/;

/**
 * Why an image cannot have this name, or undefined when it can.
 * https://pkg.go.dev/github.com/distribution/reference
 */
export function imageNameProblem(image: string): string | undefined {
  if (IDENTIFIER.test(image)) return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`;
  if (image.length > MAX_CHARACTERS) return "invalid reference format";
  const [host, rest] = splitHost(image);
  const path = rest.split(":")[0] ?? "";
  if (path.toLowerCase() !== path) return `invalid reference format: repository name (${path}) must be lowercase`;
  const found = REFERENCE.exec(`${host}/${rest}`)?.[1];
  if (found === undefined) return "invalid reference format";
  if (found.length - host.length - 1 > MAX_NAME_CHARACTERS)
    return `repository name must not be more than ${MAX_NAME_CHARACTERS} characters`;
  return undefined;
}

/** What is before the first slash is a registry's host when it looks like one. */
function splitHost(image: string): [host: string, rest: string] {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(slash, 0));
  const isHost = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  if (slash < 0 || !isHost) return ["docker.io", slash < 0 ? `library/${image}` : image];
  return [first, image.slice(slash + 1)];
}
