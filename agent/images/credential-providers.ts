import { existsSync } from "node:fs";
import { join } from "node:path";
import { milliseconds } from "../durations.ts";
import type { Run } from "../process.ts";
import { type DockerConfig, isWithin } from "./keyring.ts";

/** Of a CredentialProviderConfig. https://kubernetes.io/docs/reference/config-api/kubelet-credentialprovider.v1/ */
type Provider = {
  name: string;
  matchImages: string[];
  defaultCacheDuration: string;
  apiVersion: string;
  args?: string[];
  env?: { name: string; value: string }[];
};
/** `now` in ms. */
export type ProviderDeps = { run: Run; now(): number; log(message: string): void };
export type ProviderConfiguration = { binDir: string; config: unknown };

type Answer = {
  kind?: string;
  apiVersion?: string;
  cacheKeyType?: string;
  cacheDuration?: string;
  auth?: Record<string, { username?: string; password?: string }>;
};

const VERSIONS = ["v1", "v1beta1", "v1alpha1"].map((version) => `credentialprovider.kubelet.k8s.io/${version}`);
const TIMEOUT_MS = 60_000;
const MOST_CACHED = 1000;

/**
 * Programs that know credentials of registries, as clouds have them. They count for all pods of the node.
 * https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/
 */
export class CredentialProviders {
  readonly #providers: readonly Provider[];
  readonly #binDir: string;
  readonly #deps: ProviderDeps;
  readonly #cached = new Map<string, { auth: DockerConfig; until: number }>();
  readonly #asked = new Map<string, Promise<DockerConfig>>();

  /** Throws for a configuration that makes no sense. */
  constructor({ binDir, config }: ProviderConfiguration, deps: ProviderDeps) {
    this.#providers = parseProviders(config);
    this.#binDir = binDir;
    this.#deps = deps;
    for (const { name } of this.#providers)
      if (!existsSync(join(binDir, name)))
        throw new Error(`plugin binary executable ${join(binDir, name)} did not exist`);
  }

  /** What each provider says of a repository, as `docker.io/library/busybox`. One that fails says nothing. */
  async configs(repository: string): Promise<DockerConfig[]> {
    const matching = this.#providers.filter(({ matchImages }) =>
      matchImages.some((glob) => isWithin(glob, repository)),
    );
    return Promise.all(
      matching.map((provider) =>
        this.#ask(provider, repository).catch((error: Error) => {
          this.#deps.log(`credential provider ${provider.name}: ${error.message}`);
          return {};
        }),
      ),
    );
  }

  #ask(provider: Provider, repository: string): Promise<DockerConfig> {
    const keys = ["Image", "Registry", "Global"].map((type) => keyOf(provider, type, repository));
    const held = keys.map((key) => this.#cached.get(key)).find((entry) => entry && entry.until > this.#deps.now());
    if (held) return Promise.resolve(held.auth);
    const key = keys[0] ?? "";
    const asking = this.#asked.get(key) ?? this.#run(provider, repository).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asking);
    return asking;
  }

  async #run(provider: Provider, repository: string): Promise<DockerConfig> {
    const { name, args = [], env = [], apiVersion, defaultCacheDuration } = provider;
    const done = await this.#deps.run(join(this.#binDir, name), args, {
      input: JSON.stringify({ kind: "CredentialProviderRequest", apiVersion, image: repository }),
      env: { ...process.env, ...Object.fromEntries(env.map((variable) => [variable.name, variable.value])) },
      timeoutMs: TIMEOUT_MS,
    });
    if (done.code !== 0) throw new Error(`it ended with ${done.code}: ${done.stderr.trim().slice(-1024)}`);
    const answer = readAnswer(done.stdout, apiVersion);
    const forMs = milliseconds(answer.cacheDuration ?? defaultCacheDuration);
    const auth = answer.auth ?? {};
    if (forMs > 0) {
      this.#cached.set(keyOf(provider, answer.cacheKeyType, repository), { auth, until: this.#deps.now() + forMs });
      const [oldest] = this.#cached.keys();
      if (oldest !== undefined && this.#cached.size > MOST_CACHED) this.#cached.delete(oldest);
    }
    return auth;
  }
}

function readAnswer(text: string, apiVersion: string): Answer & { cacheKeyType: string } {
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch {
    throw new Error("its answer is no JSON"); // the parser's own words quote what it read
  }
  if (answer.kind !== "CredentialProviderResponse")
    throw new Error(`failed to decode CredentialProviderResponse, unexpected Kind: "${answer.kind}"`);
  if (answer.apiVersion !== apiVersion)
    throw new Error(
      `apiVersion from credential plugin response did not match expected apiVersion:${apiVersion}, actual apiVersion:${answer.apiVersion}`,
    );
  const { cacheKeyType = "" } = answer;
  if (!["Image", "Registry", "Global"].includes(cacheKeyType))
    throw new Error(`credential provider plugin did not return a valid cacheKeyType: ${cacheKeyType}`);
  return { ...answer, cacheKeyType };
}

function keyOf({ name }: Provider, type: string, repository: string): string {
  const subject = type === "Image" ? repository : type === "Registry" ? repository.split("/")[0] : "";
  return [name, type, subject].join("\n");
}

export function parseProviders(config: unknown): Provider[] {
  const {
    kind,
    apiVersion = "",
    providers = [],
  } = (config ?? {}) as {
    kind?: string;
    apiVersion?: string;
    providers?: Partial<Provider & { tokenAttributes: unknown }>[];
  };
  if (kind !== "CredentialProviderConfig" || !apiVersion.startsWith("kubelet.config.k8s.io/"))
    throw new Error(`failed to decode CredentialProviderConfig, unexpected ${apiVersion} ${kind}`);
  if (!providers.length) throw new Error("providers: Required value: at least 1 item in plugins is required");
  const names = new Set<string>();
  return providers.map((provider) => {
    const { name = "", matchImages = [], defaultCacheDuration, apiVersion: version = "", tokenAttributes } = provider;
    const wrong = (field: string, why: string) => new Error(`providers.${field}: ${why}`);
    if (!name || /[/ ]/.test(name) || name === "." || name === "..")
      throw wrong("name", `Invalid value: "${name}": provider name cannot contain '/' or spaces, or be '.' or '..'`);
    if (names.has(name)) throw wrong("name", `Duplicate value: "${name}"`);
    names.add(name);
    if (!VERSIONS.includes(version))
      throw wrong("apiVersion", `Unsupported value: "${version}": supported values: ${VERSIONS.join(", ")}`);
    if (!matchImages.length) throw wrong("matchImages", "Required value: at least 1 item in matchImages is required");
    if (defaultCacheDuration === undefined) throw wrong("defaultCacheDuration", "Required value");
    if (milliseconds(defaultCacheDuration) < 0)
      throw wrong("defaultCacheDuration", "Invalid value: must be greater than or equal to 0");
    if (tokenAttributes) throw wrong("tokenAttributes", "tokens of service accounts are not given to providers here");
    return { ...provider, name, matchImages, defaultCacheDuration, apiVersion: version };
  });
}
