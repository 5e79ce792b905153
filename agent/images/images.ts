import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Desired } from "../desired.ts";
import type { Timers } from "../effects.ts";
import { type Backoff, heldUntil, raise } from "../pods/backoff.ts";
import type { EventRecorder } from "../pods/events.ts";
import type { ContainerMemory } from "../pods/memory.ts";
import type { InspectedImage, RegistryCredential, Runtime } from "../runtime.ts";
import { type Credential, type DockerConfig, hashed, Keyring, keyringOf, pullSecrets } from "./keyring.ts";
import type { PullSettings } from "./pull-settings.ts";
import { Pulls } from "./pulls.ts";
import { PullRecords, type RecordFiles } from "./records.ts";
import { canonicalName, defaultPullPolicy, fullName, imageNameProblem, parseReference } from "./reference.ts";
import { Signatures } from "./signatures.ts";
import { goMilliseconds, megabytes } from "./words.ts";

/** What a node's administrator says of images, and where the node keeps what it knows of them. */
export type ImageSettings = PullSettings & {
  records: RecordFiles;
  /** Credentials that the node has for a repository and all of its pods, as they are now, the first to be tried first. */
  nodeCredentials(repository: string): Promise<readonly DockerConfig[]>;
  /** By which the node itself is known to the cluster's registry; undefined for repositories elsewhere. */
  identity?(repository: string): RegistryCredential | undefined;
};

/** An image that is here: what it is run by, and what its container's status calls it. */
export type EnsuredImage = InspectedImage & { reference: string; name: string };

type Say = (type: "Normal" | "Warning", reason: string, message: string) => void;
type Request = {
  pod: CoreV1Pod;
  image: string;
  container: string;
  memory: ContainerMemory;
  say: Say;
  /** The pod's own. Throws for those that cannot be read. */
  ownCredentials(): readonly Credential[];
  ending: AbortSignal | undefined;
};
const REMEMBER_MS = 30_000;
const RETRY_MS = 10_000;
/** Pods' last failures, to be told again while they wait. */
const MOST_FAILURES = 4096;

/** Gets images by their pull policy. https://kubernetes.io/docs/concepts/containers/images/ */
export class Images {
  readonly #runtime: Runtime;
  readonly #effects: Effects & Timers;
  readonly #events: EventRecorder;
  readonly #settings: ImageSettings;
  readonly #pulls: Pulls;
  readonly #records: PullRecords;
  readonly #signatures: Signatures | undefined;
  readonly #found = new Map<string, { image: Promise<InspectedImage | undefined>; at: number }>();
  /** By pod and image, as containers of one pod share their backoff. */
  readonly #failures = new Map<string, { backoff: Backoff; told: string }>();

  constructor(deps: { runtime: Runtime; effects: Effects & Timers; events: EventRecorder; settings: ImageSettings }) {
    const { runtime, effects, settings } = deps;
    this.#runtime = runtime;
    this.#effects = effects;
    this.#events = deps.events;
    this.#settings = settings;
    this.#pulls = new Pulls({ runtime, effects, limits: settings.limits });
    this.#records = new PullRecords(settings.records, settings.verification);
    this.#signatures = settings.policy && new Signatures({ runtime, files: settings.records, policy: settings.policy });
  }

  /**
   * The image of a container, or undefined and in `memory` why there is none and when to try again. A pull that nobody
   * waits for any more is given up: `ending` says that this pod does not.
   */
  async ensure(
    pod: CoreV1Pod,
    container: Pick<CoreV1Container, "name" | "image" | "imagePullPolicy">,
    memory: ContainerMemory,
    secrets: Desired["secrets"],
    ending?: AbortSignal,
  ): Promise<EnsuredImage | undefined> {
    const image = container.image ?? "";
    const say: Say = (type, reason, message) => this.#events.record(pod, type, reason, message, container.name);
    const problem = imageNameProblem(image);
    if (problem) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${problem}`;
      say("Warning", "InspectFailed", message);
      return this.#refuse(memory, say, "InvalidImageName", message);
    }
    const ownCredentials = this.#credentialsOf(pod, image, secrets);
    const request = { pod, image, container: container.name, memory, say, ownCredentials, ending };
    const policy = container.imagePullPolicy ?? defaultPullPolicy(image);
    let present: InspectedImage | undefined;
    try {
      present = policy === "Always" ? undefined : await this.#find(image);
    } catch (error) {
      const message = `Failed to inspect image "${image}": ${(error as Error).message}`;
      say("Warning", "InspectFailed", message);
      return this.#refuse(memory, say, "ImageInspectError", message);
    }
    if (present && !this.#records.mustPull(image, present.Id, orNone(ownCredentials))) {
      const verified = await this.#verified(request, present);
      if (verified)
        say("Normal", "Pulled", `Container image "${image}" already present on machine and can be accessed by the pod`);
      return verified;
    }
    // Whether it is here is not told to those who may not have it.
    if (policy !== "Never") return this.#pull(request);
    const message = `Container image "${image}" is not present with pull policy of Never`;
    say("Warning", "ErrImageNeverPull", message);
    return this.#refuse(memory, say, "ErrImageNeverPull", message);
  }

  /** A pod's image was mostly looked up for another pod a moment ago. One that is gone since fails its container's start. */
  #find(image: string): Promise<InspectedImage | undefined> {
    const now = this.#effects.now();
    const held = this.#found.get(image);
    if (held && now - held.at < REMEMBER_MS) return held.image;
    const found = this.#runtime.inspectImage(image);
    this.#found.set(image, { image: found, at: now });
    const forget = () => {
      if (this.#found.get(image)?.image === found) this.#found.delete(image);
    };
    found.then((there) => there ?? forget(), forget);
    return found;
  }

  /** A pull's failure was told for a while: from now on, that it is not tried again before `until`. */
  backOff(pod: CoreV1Pod, container: Pick<CoreV1Container, "name" | "image">, memory: ContainerMemory, until: number) {
    const { reason, message, image = container.image ?? "" } = memory.waiting ?? { reason: "" };
    this.#tellBackOff(memory, { image, told: `${reason}: ${message}`, until }, (type, cause, words) =>
      this.#events.record(pod, type, cause, words, container.name),
    );
  }

  /** Looks for a pod's images while something else has to be waited for. */
  lookAhead({ spec }: CoreV1Pod): void {
    for (const { image = "" } of [...(spec.initContainers ?? []), ...spec.containers])
      this.#find(image).catch(() => {}); // whoever needs it asks again
  }

  /** An image was removed from the node. */
  forget(id: string): void {
    this.#found.clear();
    this.#records.forget(id);
  }

  async #pull(request: Request): Promise<EnsuredImage | undefined> {
    const { image, say, memory, ending } = request;
    if (this.#backsOff(request)) return undefined;
    say("Normal", "Pulling", `Pulling image "${image}"`);
    const asked = this.#effects.now();
    this.#records.begin(image);
    let pulled: { image: InspectedImage; credential?: Credential } | undefined;
    let tookMs = 0;
    try {
      const done = await this.#pulls.pull(image, await this.#credentialsFor(request), this.#teller(request), ending);
      const found = await this.#runtime.inspectImage(image);
      this.#found.delete(image); // the tag may mean another one now
      if (!found) throw new Error(`image "${image}" is not there after its pull`);
      pulled = { image: found, credential: done.credential };
      tookMs = done.tookMs;
    } catch (error) {
      if (ending?.aborted) return undefined; // nobody asks any more
      return this.#failed(request, "ErrImagePull", (error as Error).message);
    } finally {
      if (pulled) this.#records.succeeded(image, pulled.image.Id, pulled.credential);
      else this.#records.failed(image);
    }
    const verified = await this.#verified(request, pulled.image);
    if (!verified) return undefined;
    memory.pullBackoff = undefined;
    const all = this.#effects.now() - asked;
    const [took, waited] = [Math.min(tookMs, all), all].map(goMilliseconds);
    say(
      "Normal",
      "Pulled",
      `Successfully pulled image "${image}" in ${took} (${waited} including waiting). Image size: ${verified.Size ?? 0} bytes.`,
    );
    return verified;
  }

  /** The image if the node's policy lets it run. */
  async #verified(request: Request, image: InspectedImage): Promise<EnsuredImage | undefined> {
    const named = nameOf(request.image, image);
    if (!this.#signatures) return named;
    try {
      const digest = await this.#signatures.verify(request.image, digestsOf(image), () =>
        this.#credentialsFor(request),
      );
      return digest ? { ...named, reference: digest } : named;
    } catch (error) {
      if (this.#backsOff(request)) return undefined;
      return this.#failed(request, "SignatureValidationFailed", (error as Error).message);
    }
  }

  /** Tells how far a pull has come, in the event that told of its begin. */
  #teller({ pod, image, container }: Request) {
    let told = `Pulling image "${image}"`;
    return {
      onProgress: ({ bytes, totalBytes }: { bytes: number; totalBytes: number }) => {
        const message = `Pulling image "${image}": ${megabytes(bytes)} of ${megabytes(totalBytes)}`;
        this.#events.renew(pod, "Normal", "Pulling", { was: told, message }, container);
        told = message;
      },
    };
  }

  #credentialsOf(pod: CoreV1Pod, image: string, secrets: Desired["secrets"]): () => readonly Credential[] {
    const { found, missing } = pullSecrets(pod, secrets);
    if (missing.length) {
      const message = `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`;
      this.#events.record(pod, "Warning", "FailedToRetrieveImagePullSecret", message);
    }
    return () => keyringOf(found).lookUp(parseReference(image).repository);
  }

  /** All that may open the registry, those of the pod first, and the node's own name last. */
  async #credentialsFor({ image, ownCredentials }: Request): Promise<readonly Credential[]> {
    const { repository } = parseReference(image);
    const own = ownCredentials();
    const configs = await this.#settings.nodeCredentials(repository);
    const ofNode = configs.flatMap((config) => {
      const keyring = new Keyring();
      keyring.add(config);
      return keyring.lookUp(repository);
    });
    const identity = this.#settings.identity?.(repository);
    return [...own, ...ofNode, ...(identity ? [hashed(identity)] : [])];
  }

  /** What a pull failed by is told, and how long the next waits. */
  #failed({ pod, image, memory, say }: Request, reason: string, cause: string): undefined {
    const isSignature = reason === "SignatureValidationFailed";
    const detail = isSignature ? `${reason}: ${cause}` : cause;
    const message = isSignature
      ? `image pull failed for ${image} because the signature validation failed: ${cause}`
      : cause;
    say("Warning", "Failed", `Failed to pull image "${image}": ${detail}`);
    const now = this.#effects.now();
    const key = `${pod.metadata.uid}_${image}`;
    const backoff = raise(this.#failures.get(key)?.backoff ?? memory.pullBackoff, now, now);
    this.#failures.delete(key); // to the young end
    this.#failures.set(key, { backoff, told: `${reason}: ${message}` });
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined && this.#failures.size > MOST_FAILURES) this.#failures.delete(oldest);
    memory.pullBackoff = backoff;
    return this.#refuse(memory, say, reason, message, now + backoff.delayMs);
  }

  /** Whether the same image of the same pod has failed a moment ago. */
  #backsOff({ pod, image, memory, say }: Request): boolean {
    const failure = this.#failures.get(`${pod.metadata.uid}_${image}`);
    const until = failure ? heldUntil(failure.backoff, failure.backoff.since) : 0;
    if (!failure || until <= this.#effects.now()) return false;
    memory.pullBackoff = failure.backoff;
    this.#tellBackOff(memory, { image, told: failure.told, until }, say);
    return true;
  }

  #tellBackOff(
    memory: ContainerMemory,
    { image, told, until }: { image: string; told: string; until: number },
    say: Say,
  ) {
    const message = `Back-off pulling image "${image}"`;
    say("Normal", "BackOff", message);
    this.#refuse(memory, say, "ImagePullBackOff", `${message}: ${told}`, until);
  }

  #refuse(memory: ContainerMemory, say: Say, reason: string, message: string, until?: number): undefined {
    say("Warning", "Failed", `Error: ${reason}`);
    memory.waiting = { reason, message };
    memory.retryAt = until ?? this.#effects.now() + RETRY_MS;
    return undefined;
  }
}

/** Credentials that cannot be read open nothing; a pull will tell. */
const orNone = (credentials: () => readonly Credential[]) => () => {
  try {
    return credentials();
  } catch {
    return [];
  }
};

/** A digest runs by itself, whatever name it came by; its container is called by a tag of it, else by the image's ID. */
function nameOf(image: string, inspected: InspectedImage): EnsuredImage {
  const { digest } = parseReference(image);
  if (!digest) return { ...inspected, reference: image, name: canonicalName(image) };
  // nerdctl tells names with a digest as if they had no tag, or the tag `latest`.
  const tagged = inspected.RepoTags?.find((name) => !/:(latest)?$/.test(name));
  return { ...inspected, reference: digest, name: tagged ? fullName(tagged) : inspected.Id };
}

/** `docker.io/library/busybox@sha256:…`, of all names that an image has. */
const digestsOf = ({ RepoDigests = [] }: InspectedImage): string[] => RepoDigests.map(fullName);

/** The digest that names an image for good; an image that came from no registry has only its own. */
export function imageIdOf(image: InspectedImage): string {
  return digestsOf(image)[0] ?? image.Id;
}
