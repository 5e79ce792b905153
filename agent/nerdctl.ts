import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { batcher } from "./batching.ts";
import { containerdEvents } from "./containerd-events.ts";
import type { ClusterRegistry } from "./images/cluster-registry.ts";
import { ContentStore, type Fetching } from "./images/content.ts";
import { type RegistryAccess, withRegistryAccess } from "./images/docker-config.ts";
import type { Mirrors } from "./images/peers/mirror.ts";
import { canonicalName, fullName, parseReference, taggedName } from "./images/reference.ts";
import { limiter } from "./limiter.ts";
import { addressOf, bundleOf, hostsFoldersOf, logPathOf } from "./nerdctl-store.ts";
import { type Finished, type Run, run } from "./process.ts";
import type {
  Artifact,
  ContainerOptions,
  Inspected,
  InspectedImage,
  RegistryCredential,
  Runtime,
  RuntimeEvent,
  Urgency,
} from "./runtime.ts";

/** A nerdctl command that failed; `message` is what nerdctl itself gave as the cause. */
export class NerdctlError extends Error {
  override readonly name = "NerdctlError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** At most so many short commands run at once: each takes 28 MB and most of a core for its time, and waits at times. */
const CONCURRENT_COMMANDS = Math.min(availableParallelism() + 1, 16);
/** So many containers are inspected or removed by one command, when they wait for it. */
const INSPECTED_AT_ONCE = 50;
const REMOVED_AT_ONCE = 10;
/** With the volumes that were made for what its image calls volumes. */
const REMOVE = ["rm", "-f", "-v"];
/**
 * A command ends before collecting garbage pays, and asks containerd one thing after another, once for each container
 * that there is: threads that wake each other cost more than they do. Its hooks inherit this. https://pkg.go.dev/runtime
 */
const BRIEF_PROGRAM = { GOGC: "off", GOMEMLIMIT: "100MiB", GOMAXPROCS: "1" };
const COMMAND_TIMEOUT_MS = 120_000;
/** What is no image is small. */
const FETCH_TIMEOUT_MS = 60_000;
const MAX_ARTIFACT_LAYER_BYTES = 1024 * 1024;

/**
 * nerdctl's commands, typed. Containers are meant by their full ID everywhere: two can bear one name.
 * https://github.com/containerd/nerdctl/blob/main/docs/command-reference.md
 */
export class Nerdctl implements Runtime {
  readonly binary: string;
  readonly namespace: string;
  /** Its settings, which tell this node's containerd from another's. */
  readonly toml: string;
  readonly #commands = limiter(CONCURRENT_COMMANDS);
  readonly #inspections = batcher(this.#commands, INSPECTED_AT_ONCE, (ids) =>
    this.#runNow(["inspect", "--format", "{{json .}}", ...ids]),
  );
  readonly #removals = batcher(this.#commands, REMOVED_AT_ONCE, (ids) => this.#runNow([...REMOVE, ...ids]));
  readonly content: ContentStore;
  /** Who else may have parts of the cluster's own images. */
  peers: Mirrors | undefined;
  /** Since when, in ms since the epoch as files have it, by image. */
  readonly #pulling = new Map<string, number>();
  readonly #clusterRegistry: () => ClusterRegistry | undefined;
  readonly #runProgram: Run;
  readonly #runLong: typeof run;

  /** `run` starts short commands. */
  constructor(options: {
    binary: string;
    toml: string;
    namespace: string;
    clusterRegistry?: () => ClusterRegistry | undefined;
    run?: Run;
    runLong?: typeof run;
  }) {
    this.binary = options.binary;
    this.namespace = options.namespace;
    this.toml = options.toml;
    this.content = new ContentStore(join(dirname(options.toml), "root"));
    this.#clusterRegistry = options.clusterRegistry ?? (() => undefined);
    this.#runProgram = options.run ?? run;
    this.#runLong = options.runLong ?? run;
  }

  get environment(): NodeJS.ProcessEnv {
    return nerdctlEnvironment(this.toml);
  }

  /** One that fails at its start stays, in state Created. */
  async run(options: ContainerOptions, urgency?: Urgency): Promise<Inspected> {
    const done = await this.#run(["run", "-d", "--pull", "never", ...containerArgs(options)], urgency);
    if (done.code !== 0) throw failure(done);
    const id = done.stdout.trim();
    return this.started(id, this.#pidOf(id), options);
  }

  /** What a container is that has just been started. */
  async started(id: string, pid: number, options: ContainerOptions): Promise<Inspected> {
    const LogPath = this.logPathOf(id);
    if (!LogPath || !existsSync(`/proc/${pid}`)) {
      const [inspected] = await this.inspect([id]).catch(() => []);
      if (inspected) return inspected;
    }
    // What an inspection would say, which is a process saved.
    const State = { Status: "running", Running: true, Pid: pid, ExitCode: 0 };
    return {
      Id: id,
      Image: taggedName(options.image) ?? options.image,
      LogPath,
      State,
      Config: { Labels: options.labels ?? {} },
    };
  }

  /** The log of a container that is there, if it is one of nerdctl's files. */
  logPathOf(id: string): string | undefined {
    return logPathOf(this.toml, this.namespace, id);
  }

  /** The file that runc writes a container's pid to; other runtimes may have none. */
  #pidFile(id: string): string {
    return join(bundleOf(this.toml, this.namespace, id), "init.pid");
  }

  #pidOf(id: string): number {
    const file = this.#pidFile(id);
    return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  }

  /** nerdctl would know when a container started by its hook, which ours do not have. */
  #withStart(inspected: Inspected): Inspected {
    const file = this.#pidFile(inspected.Id);
    if (Date.parse(inspected.State.StartedAt ?? "") > 0 || !existsSync(file)) return inspected;
    return { ...inspected, State: { ...inspected.State, StartedAt: statSync(file).mtime.toISOString() } };
  }

  /** `start` has the same turn, so that what was begun is finished before more is begun; it must wait for no other. */
  create<T>(options: ContainerOptions, urgency: Urgency | undefined, start: (id: string) => Promise<T>): Promise<T> {
    return this.#commands(async () => {
      const done = await this.#runNow(["create", "--pull", "never", ...containerArgs(options)]);
      if (done.code !== 0) throw failure(done);
      return start(done.stdout.trim());
    }, urgency);
  }

  async kill(id: string, signal: string): Promise<void> {
    await this.#output("kill", "-s", signal, id);
  }

  /**
   * Ends and removes containers, running or not; those that are not there count as removed. nerdctl may fail over
   * something that belonged to a container (its network, a mount) and still have removed it, or not: what stays is tried
   * once more, and then is an error.
   */
  async remove(ids: readonly string[]): Promise<void> {
    if (!ids.length) return;
    const removed = new Set(lines((await this.#removals(ids)).stdout)); // its exit code says nothing
    for (const { Id } of await this.inspect(ids.filter((id) => !removed.has(id)))) {
      const done = await this.#run([...REMOVE, Id]);
      if ((await this.inspect([Id])).length) throw failure(done);
    }
  }

  /** Containers that are gone are left out. */
  async inspect(ids: readonly string[]): Promise<Inspected[]> {
    if (!ids.length) return [];
    const done = await this.#inspections(ids);
    if (done.code !== 0 && !/no such (object|container)|not found/i.test(done.stderr)) throw failure(done);
    const all = lines(done.stdout).map((line) => JSON.parse(line) as Inspected);
    return all.filter(({ Id }) => ids.includes(Id)).map((inspected) => this.#withStart(inspected));
  }

  /** Full IDs of all containers that bear a label. */
  async list(label: string): Promise<string[]> {
    return lines(await this.#output("ps", "-a", "-q", "--no-trunc", "--filter", `label=${label}`));
  }

  async inspectImage(image: string): Promise<InspectedImage | undefined> {
    const { repository, digest } = parseReference(image);
    if (!digest) return (await this.#inspectImages([image]))[0];
    // By a name with a digest nerdctl finds only what is also tagged `latest`.
    const isMeant = (name: string) => fullName(name) === `${repository}@${digest}`;
    const [found] = await this.#inspectImages([digest]);
    const names = found?.RepoDigests ?? [];
    return found && names.some(isMeant)
      ? { ...found, RepoDigests: [...names.filter(isMeant), ...names.filter((name) => !isMeant(name))] }
      : undefined;
  }

  async listImages(): Promise<InspectedImage[]> {
    const ids = [...new Set(lines(await this.#output("images", "-q", "--no-trunc")))];
    return ids.length ? this.#inspectImages(ids) : [];
  }

  async removeImage({ Id, RepoTags = [], RepoDigests = [] }: InspectedImage): Promise<void> {
    // A name with a digest is told as one with the tag `latest`, or with none, so either may be the true one.
    const names = new Set([...RepoTags.filter((tag) => !tag.endsWith(":")), ...RepoDigests]);
    const done = await this.#run(["rmi", ...(names.size ? names : [Id])]);
    const [, ...failures] = done.code === 0 ? [] : failureMessage(done.stderr).split("\n");
    if (failures.some((line) => line && !line.startsWith("no such image"))) throw failure(done);
  }

  async #inspectImages(images: readonly string[]): Promise<InspectedImage[]> {
    const done = await this.#run(["image", "inspect", "--format", "{{json .}}", ...images]);
    if (done.code !== 0 && !/no such (object|image)|not found/i.test(done.stderr)) throw failure(done);
    return lines(done.stdout).map((line) => JSON.parse(line) as InspectedImage);
  }

  async pull(
    image: string,
    { credential, signal }: { credential?: RegistryCredential; signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.#withAccess(image, credential, async ({ since, ...access }) => {
      this.#pulling.set(image, Math.min(since, this.#pulling.get(image) ?? since));
      try {
        await this.#pull(["-q", canonicalName(image)], access, signal);
      } finally {
        this.#pulling.delete(image);
      }
    });
  }

  fetching(image: string): Fetching | undefined {
    const since = this.#pulling.get(image);
    return since === undefined ? undefined : this.content.fetching(since);
  }

  async fetch(reference: string, credential?: RegistryCredential): Promise<Artifact> {
    await this.#withAccess(reference, credential, (access) =>
      this.#pull(["-q", "--unpack=false", reference], access, AbortSignal.timeout(FETCH_TIMEOUT_MS)),
    );
    try {
      const native = await this.#output("image", "inspect", "--mode", "native", "--format", "{{json .}}", reference);
      const { Image } = JSON.parse(lines(native)[0] ?? "{}") as { Image?: { Target: { digest: string } } };
      const manifest = JSON.parse(this.content.read(Image?.Target.digest ?? "").toString()) as Artifact;
      const small = manifest.layers.filter(({ size }) => size <= MAX_ARTIFACT_LAYER_BYTES);
      const contents = new Map(small.map(({ digest }) => [digest, this.content.read(digest)]));
      return { layers: manifest.layers, read: (digest) => contents.get(digest) ?? Buffer.alloc(0) };
    } finally {
      await this.#run(["rmi", "-f", reference]);
    }
  }

  /** Removes credentials that pulls of an agent before this one left behind, as it was killed. */
  forgetPulls(): void {
    rmSync(this.#pullsFolder, { recursive: true, force: true });
  }

  get #pullsFolder(): string {
    return join(dirname(this.toml), "pulls");
  }

  #withAccess<T>(
    image: string,
    credential: RegistryCredential | undefined,
    body: (access: RegistryAccess) => Promise<T>,
  ): Promise<T> {
    const hostsFolders = hostsFoldersOf(this.toml);
    const clusterRegistry = this.#clusterRegistry();
    const given = { parent: this.#pullsFolder, credential, hostsFolders, clusterRegistry, peers: this.peers };
    return withRegistryAccess(image, given, body);
  }

  /** Pulls last long and have their own limit, so they take no turn from the commands. */
  async #pull(
    args: readonly string[],
    { config, hosts }: Pick<RegistryAccess, "config" | "hosts">,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const env = { ...this.environment, DOCKER_CONFIG: config };
    const done = await this.#runLong(this.binary, ["--hosts-dir", hosts, "pull", ...args], { env, signal });
    if (done.code !== 0) throw failure(done);
  }

  /** Loads a docker archive and returns what nerdctl said about it. */
  load(archive: string): Promise<string> {
    return this.#output("load", "-i", archive);
  }

  /** Changes limits of a running container, by flags of `nerdctl update`. */
  async update(id: string, flags: readonly string[]): Promise<void> {
    await this.#output("update", ...flags, id);
  }

  /** containerd's version, without the distribution's suffix. */
  async containerdVersion(): Promise<string> {
    const version = parse<{ Server?: { Components?: { Name: string; Version: string }[] } }>(
      await this.#output("version", "--format", "json"),
    );
    const component = version?.Server?.Components?.find((c) => c.Name === "containerd");
    return /^v?(\d+\.\d+\.\d+)/.exec(component?.Version ?? "")?.[1] ?? "unknown";
  }

  async logs(id: string, flags: readonly string[] = []): Promise<Finished> {
    return this.#run(["logs", ...flags, id]);
  }

  events(onEvent: (event: RuntimeEvent) => void, onEnd: () => void): () => void {
    return containerdEvents(addressOf(this.toml), this.namespace, onEvent, onEnd);
  }

  async #output(...args: string[]): Promise<string> {
    const done = await this.#run(args);
    if (done.code !== 0) throw failure(done);
    return done.stdout;
  }

  #run(args: readonly string[], urgency?: Urgency): Promise<Finished> {
    return this.#commands(() => this.#runNow(args), urgency);
  }

  #runNow(args: readonly string[]): Promise<Finished> {
    const env = { ...this.environment, ...BRIEF_PROGRAM };
    return this.#runProgram(this.binary, args, { env, timeoutMs: COMMAND_TIMEOUT_MS });
  }
}

/** The environment that every nerdctl process needs to find its node's containerd. */
export function nerdctlEnvironment(toml: string): NodeJS.ProcessEnv {
  const path = [process.env.PATH, "/usr/sbin", "/sbin"].filter(Boolean).join(delimiter);
  return { PATH: path, HOME: process.env.HOME ?? "/root", NERDCTL_TOML: toml };
}

/** The arguments of `run` and `create` after their own options. */
export function containerArgs({ image, name, labels, flags, args }: ContainerOptions): string[] {
  const labelled = Object.entries(labels ?? {}).flatMap(([key, value]) => ["-l", `${key}=${value}`]);
  return [...(name ? ["--name", name] : []), ...labelled, ...(flags ?? []), image, ...(args ?? [])];
}

/** The cause that nerdctl logged as fatal, else the end of its stderr. */
export function failureMessage(stderr: string): string {
  const fatal = [...stderr.matchAll(/level=(?:fatal|error) msg=("(?:[^"\\]|\\.)*")/g)].at(-1)?.[1];
  return (fatal && parse<string>(fatal)) || stderr.trim().slice(-1024) || "nerdctl failed without a word";
}

const failure = (done: Finished) => new NerdctlError(done.code, failureMessage(done.stderr));
const lines = (text: string) => text.split("\n").filter(Boolean);

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
