import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Desired } from "../desired.ts";
import { limiter } from "../limiter.ts";
import type { InspectedImage, RegistryCredentials, Runtime } from "../runtime.ts";
import { raise } from "./backoff.ts";
import type { EventRecorder } from "./events.ts";
import { imageNameProblem } from "./image-name.ts";
import type { ContainerMemory } from "./memory.ts";

type Deps = { runtime: Runtime; effects: Effects; events: EventRecorder };

/** Pulls run one after the other, as kubelets do it by default: two halves of a line are no faster. */
const CONCURRENT_PULLS = 2;
const REMEMBER_MS = 30_000;

/** Gets images by their pull policy. https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy */
export class Images {
  readonly #deps: Deps;
  readonly #pulls = limiter(CONCURRENT_PULLS);
  readonly #found = new Map<string, { image: Promise<InspectedImage | undefined>; at: number }>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The image of a container, or undefined and in `memory` why there is none and when to try again. */
  async ensure(
    pod: CoreV1Pod,
    container: CoreV1Container,
    memory: ContainerMemory,
    secrets: Desired["secrets"],
  ): Promise<InspectedImage | undefined> {
    const { events } = this.#deps;
    const image = container.image ?? "";
    const policy = container.imagePullPolicy ?? defaultPolicy(image);
    const say = (type: "Normal" | "Warning", reason: string, message: string) =>
      events.record(pod, type, reason, message, container.name);
    const problem = imageNameProblem(image);
    if (problem) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${problem}`;
      say("Warning", "InspectFailed", message);
      say("Warning", "Failed", "Error: InvalidImageName");
      return this.#wait(memory, "InvalidImageName", message);
    }
    const present = await this.#find(image);
    if (policy === "Never" && !present) {
      say("Warning", "ErrImageNeverPull", `Container image "${image}" is not present with pull policy of Never`);
      return this.#wait(
        memory,
        "ErrImageNeverPull",
        `Container image "${image}" is not present with pull policy of Never`,
      );
    }
    if (present && policy !== "Always") {
      say("Normal", "Pulled", `Container image "${image}" already present on machine and can be accessed by the pod`);
      return present;
    }
    return this.#pull(pod, container, memory, secrets, say);
  }

  /** A pod's image was mostly looked up for another pod a moment ago. One that is gone since fails its container's start. */
  #find(image: string): Promise<InspectedImage | undefined> {
    const now = this.#deps.effects.now();
    const held = this.#found.get(image);
    if (held && now - held.at < REMEMBER_MS) return held.image;
    const found = this.#deps.runtime.inspectImage(image);
    this.#found.set(image, { image: found, at: now });
    const forget = () => {
      if (this.#found.get(image)?.image === found) this.#found.delete(image);
    };
    found.then((there) => there ?? forget(), forget);
    return found;
  }

  /** Looks for a pod's images while something else has to be waited for. */
  lookAhead({ spec }: CoreV1Pod): void {
    for (const { image = "" } of [...(spec.initContainers ?? []), ...spec.containers])
      this.#find(image).catch(() => {}); // whoever needs it asks again
  }

  async #pull(
    pod: CoreV1Pod,
    container: CoreV1Container,
    memory: ContainerMemory,
    secrets: Desired["secrets"],
    say: (type: "Normal" | "Warning", reason: string, message: string) => void,
  ): Promise<InspectedImage | undefined> {
    const { runtime, effects } = this.#deps;
    const image = container.image ?? "";
    say("Normal", "Pulling", `Pulling image "${image}"`);
    const asked = effects.now();
    let began = asked;
    try {
      await this.#pulls(() => {
        began = effects.now();
        return runtime.pull(image, credentials(pod, secrets));
      });
      const found = await runtime.inspectImage(image);
      this.#found.delete(image); // the tag may mean another one now
      if (!found) throw new Error(`image "${image}" is not there after its pull`);
      const [took, all] = [effects.now() - began, effects.now() - asked].map((ms) => `${(ms / 1000).toFixed(3)}s`);
      const size = found.Size === undefined ? "" : ` Image size: ${found.Size} bytes.`;
      say("Normal", "Pulled", `Successfully pulled image "${image}" in ${took} (${all} including waiting).${size}`);
      memory.pullBackoff = undefined;
      return found;
    } catch (error) {
      const message = `failed to pull and unpack image "${image}": ${(error as Error).message}`;
      say("Warning", "Failed", `Failed to pull image "${image}": ${message}`);
      say("Warning", "Failed", "Error: ErrImagePull");
      const now = effects.now();
      memory.pullBackoff = raise(memory.pullBackoff, now, now);
      return this.#wait(memory, "ErrImagePull", message, now + memory.pullBackoff.delayMs);
    }
  }

  #wait(memory: ContainerMemory, reason: string, message: string, until?: number): undefined {
    memory.waiting = { reason, message };
    memory.retryAt = until ?? this.#deps.effects.now() + 10_000;
    return undefined;
  }
}

/** `latest` and no tag at all mean that it may change. */
const defaultPolicy = (image: string): string => {
  const last = image.split("/").at(-1) ?? "";
  if (image.includes("@")) return "IfNotPresent";
  return !last.includes(":") || last.endsWith(":latest") ? "Always" : "IfNotPresent";
};

/** The digest that names an image for good; an image that came from no registry has only its own. */
export function imageIdOf(image: InspectedImage): string {
  const digest = image.RepoDigests?.[0];
  if (!digest) return image.Id;
  const [name = "", hash = ""] = digest.split("@");
  return `${fullName(name)}@${hash}`;
}

/** As containerd names an image: `busybox` → `docker.io/library/busybox:latest`. Not for digests and IDs. */
export function canonicalName(image: string): string | undefined {
  if (image.includes("@") || /^(sha256:)?[0-9a-f]+$/.test(image)) return undefined;
  const isTagged = image.split("/").at(-1)?.includes(":");
  return `${fullName(image)}${isTagged ? "" : ":latest"}`;
}

/** `busybox` → `docker.io/library/busybox`. */
export function fullName(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && (first.includes(".") || first.includes(":") || first === "localhost");
  if (hasHost) return name;
  return rest.length ? `docker.io/${name}` : `docker.io/library/${name}`;
}

/** Those of all the pod's imagePullSecrets. */
function credentials(pod: CoreV1Pod, secrets: Desired["secrets"]): RegistryCredentials | undefined {
  const auths: RegistryCredentials = {};
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    const data = secrets.get(`${pod.metadata.namespace}/${name}`)?.data ?? {};
    const config = data[".dockerconfigjson"];
    const legacy = data[".dockercfg"];
    try {
      if (config) Object.assign(auths, JSON.parse(Buffer.from(config, "base64").toString()).auths);
      else if (legacy) Object.assign(auths, JSON.parse(Buffer.from(legacy, "base64").toString()));
    } catch {
      // What is not JSON gives no credentials; the registry's refusal tells the user.
    }
  }
  return Object.keys(auths).length ? auths : undefined;
}
