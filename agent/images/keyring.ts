import { createHash } from "node:crypto";
import type { CoreV1Pod, CoreV1Secret } from "../../worker/kinds/generated/types.ts";
import type { Desired } from "../desired.ts";
import type { RegistryCredential } from "../runtime.ts";

/** A Secret that credentials came from. */
export type SecretSource = { uid: string; namespace: string; name: string };

/** What a registry may be asked with. `source` is absent for credentials of the node, which are every pod's. */
export type Credential = RegistryCredential & { hash: string; source?: SecretSource };

/** Entries of Docker's `config.json`, as far as the kubelet reads them. */
export type DockerConfig = Record<string, { username?: string; password?: string; auth?: string }>;

const DEFAULT_REGISTRY = "index.docker.io";

/**
 * Credentials by where they count: a registry's host, with or without a path, and with wildcards in the host.
 * https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export class Keyring {
  readonly #entries = new Map<string, Credential[]>();

  /** Throws for credentials that cannot be read; what is said of it holds none of them. */
  add(config: DockerConfig, source?: SecretSource): void {
    for (const [location, entry] of Object.entries(config)) {
      const credential = { ...readEntry(entry ?? {}), ...(source && { source }) };
      const key = keyOf(location);
      if (key) this.#entries.set(key, [...(this.#entries.get(key) ?? []), credential]);
    }
  }

  /** Those that may open a repository, as `docker.io/library/busybox`; the most specific first, each to be tried in turn. */
  lookUp(repository: string): Credential[] {
    const keys = [...this.#entries.keys()].sort((a, b) => (a < b ? 1 : -1));
    const found = keys.filter((key) => isWithin(key, repository)).flatMap((key) => this.#entries.get(key) ?? []);
    if (found.length || !isOfDefaultRegistry(repository)) return found;
    return this.#entries.get(DEFAULT_REGISTRY) ?? [];
  }
}

function readEntry({ username = "", password = "", auth }: DockerConfig[string]): Credential {
  if (!auth) return hashed({ username, password });
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(auth)) throw new Error("illegal base64 data in an auth field");
  const [name = "", ...rest] = Buffer.from(auth, "base64").toString().split(":");
  if (!rest.length) throw new Error("unable to parse auth field, must be formatted as base64(username:password)");
  return hashed({ username: name, password: rest.join(":") });
}

/** By its hash, which may be kept where the credential must not be. */
export function hashed(credential: RegistryCredential): Credential {
  const { username, password } = credential;
  const hash = createHash("sha256").update(JSON.stringify({ username, password })).digest("hex");
  return { ...credential, hash };
}

/** `https://HOST/v1/PATH` counts as `HOST/PATH`. */
function keyOf(location: string): string | undefined {
  const [, host = "", path = ""] = /^(?:https?:\/\/)?([^/\s]+)(\/\S*)?$/.exec(location) ?? [];
  const effective = /^\/v[12]\//.test(path) ? path.slice(3) : path;
  return host && `${host}${effective === "/" ? "" : effective}`;
}

/** Whether a repository lies at a host, and below a path, of which the host may have wildcards. */
export function isWithin(key: string, repository: string): boolean {
  const [glob, target] = [splitUrl(key), splitUrl(repository)];
  return (
    glob.port === target.port &&
    glob.labels.length === target.labels.length &&
    target.path.startsWith(glob.path) &&
    glob.labels.every((label, index) => labelMatches(label, target.labels[index] ?? ""))
  );
}

function splitUrl(url: string): { labels: string[]; port: string; path: string } {
  const slash = url.indexOf("/");
  const host = slash < 0 ? url : url.slice(0, slash);
  const [, name = host, port = ""] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  return { labels: name.split("."), port, path: slash < 0 ? "" : url.slice(slash) };
}

/** `*` for any characters, `?` for one, `[a-c]` for one of them, as Go's path.Match has it, in quadratic time at most. */
function labelMatches(glob: string, label: string): boolean {
  const parts = glob.match(/\\.|\[\^?[^\]]+\]|[\s\S]/g) ?? [];
  let [at, seen, star, starSeen] = [0, 0, -1, 0];
  while (seen < label.length) {
    if (parts[at] === "*") [star, starSeen] = [at++, seen];
    else if (at < parts.length && partMatches(parts[at] ?? "", label[seen] ?? "")) [at, seen] = [at + 1, seen + 1];
    else if (star < 0) return false;
    else [at, seen] = [star + 1, ++starSeen]; // the star takes one more
  }
  return parts.slice(at).every((part) => part === "*");
}

function partMatches(part: string, character: string): boolean {
  if (part === "?") return true;
  if (part.length === 1) return part === character;
  if (part.startsWith("\\")) return part[1] === character;
  const inverted = part.startsWith("[^");
  const ranges = part.slice(inverted ? 2 : 1, -1).matchAll(/([\s\S])(?:-([\s\S]))?/g);
  const within = ranges.some(([, low = "", high = low]) => low <= character && character <= high);
  return within !== inverted;
}

function isOfDefaultRegistry(repository: string): boolean {
  const [host = ""] = repository.split("/");
  return host === "docker.io" || host === DEFAULT_REGISTRY || !/[.:]/.test(host);
}

/** Those of a pod's imagePullSecrets that are here. */
export function pullSecrets(
  { metadata, spec }: CoreV1Pod,
  secrets: Desired["secrets"],
): { found: CoreV1Secret[]; missing: string[] } {
  const names = (spec.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [name] : []));
  const secretOf = (name: string) => secrets.get(`${metadata.namespace}/${name}`);
  return {
    found: names.flatMap((name) => secretOf(name) ?? []),
    missing: names.filter((name) => !secretOf(name)),
  };
}

/** The keyring of a pod. Throws for Secrets that do not hold what their type says. */
export function keyringOf(secrets: readonly CoreV1Secret[]): Keyring {
  const keyring = new Keyring();
  for (const { type, data = {}, metadata } of secrets) {
    const { uid = "", namespace = "", name = "" } = metadata;
    const json = type === "kubernetes.io/dockerconfigjson" && data[".dockerconfigjson"];
    const legacy = type === "kubernetes.io/dockercfg" && data[".dockercfg"];
    const source = { uid, namespace, name };
    if (json) keyring.add(readJson<{ auths?: DockerConfig }>(json).auths ?? {}, source);
    else if (legacy) keyring.add(readJson<DockerConfig>(legacy), source);
  }
  return keyring;
}

function readJson<T>(base64: string): T {
  try {
    return JSON.parse(Buffer.from(base64, "base64").toString()) as T;
  } catch {
    throw new Error("error occurred while trying to unmarshal json"); // the parser's own words quote what it read
  }
}
