import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type {
  CoreV1Container,
  CoreV1Pod,
  CoreV1Volume,
  CoreV1VolumeMount,
} from "../../worker/kinds/generated/types.ts";
import type { CsiVolumes } from "../csi/volumes.ts";
import type { FieldContext } from "../pods/fields.ts";
import type { ImageMounts } from "./image-mounts.ts";
import { readInside } from "./inside.ts";
import { isMountPoint, mountNew, mountPoints, share, unmountAll } from "./mounts.ts";
import { ClaimError } from "./persistent/claims.ts";
import { unmountUnused } from "./persistent/device.ts";
import { MountFailure } from "./persistent/plugin.ts";
import { usersOf } from "./persistent/users.ts";
import { imageFolder, linkTo, makeMountPoints } from "./places.ts";
import { isRecursivelyReadOnly } from "./recursive-read-only.ts";
import { volumeSources } from "./sources.ts";
import { bindSubPath, removeBound, subPathOf } from "./sub-path.ts";
import { type Api, PodTokens } from "./tokens.ts";
import {
  type ContainerMount,
  ImageVolumeError,
  usedVolumes,
  type VolumeContext,
  VolumeError,
  type VolumeObjects,
} from "./volume.ts";

export type PodContext = {
  pod: CoreV1Pod;
  desired: VolumeObjects;
  fields: FieldContext;
  /** A warning about the pod. */
  tell?(reason: string, message: string): void;
};

/** What a container's mounts are made from. */
export type MountContext = {
  env: ReadonlyMap<string, string>;
  /** The image of each volume that is one, by the volume's name. */
  images: ReadonlyMap<string, VolumeImage>;
};

/** `id` tells what `name` means from what it meant before; `name` is as the runtime knows it. */
export type VolumeImage = { id: string; name: string };

/** The volumes of a node's pods. */
export interface PodVolumes {
  /** Makes all volumes of a pod or brings them up to date. Returns what is in the way; nothing when all are there. */
  prepare(context: PodContext): Promise<string[]>;
  /** How long `prepare` need not be called again where that is not the usual time, ms. A model's volumes have none such. */
  pauseMs?(uid: string): number | undefined;
  /** Brings those up to date that follow objects of the API, and tells of those that keep what they had. */
  refresh(context: PodContext): Promise<string[]>;
  /** When `refresh` is due though no object changed (ms since the epoch). */
  refreshAt(uid: string): number;
  /** Throws `VolumeError` or `ImageVolumeError`. */
  mountsOf(pod: CoreV1Pod, container: CoreV1Container, context: MountContext): Promise<ContainerMount[]>;
  /** A file of a volume, and where it lies; undefined when there is no such volume. `read` throws when it cannot be. */
  file(uid: string, volume: string, path: string): { place: string; read(): string } | undefined;
  /** Unmounts and deletes the volumes of a pod that is over, with what it wrote to them. */
  release(uid: string): Promise<void>;
  /** Unmounts and deletes all that belongs to a pod. */
  remove(uid: string): Promise<void>;
  /** Whether the runtime can make all that is mounted in a mount read-only. */
  readonly recursiveReadOnly: boolean;
}

/** `follows` as of a `VolumeSource`. */
type Place = { path: string; readOnly: boolean; follows: boolean };

/** Of a file that variables come from. */
const MOST_FILE_BYTES = 1024 * 1024;
const SUB_PATHS = "subpaths";

export type VolumesDeps = {
  home: string;
  api: Api;
  now: () => number;
  images: ImageMounts;
  /** See `VolumeContext`. */
  makeVolume?: VolumeContext["makeVolume"];
  recursiveReadOnly: boolean;
  csi?: Pick<CsiVolumes, "mount" | "release" | "pauseMs">;
};

/** Under `HOME/pods/UID` and, for secrets, in memory. */
export class Volumes implements PodVolumes {
  readonly #deps: VolumesDeps;
  readonly #tokens = new Map<string, PodTokens>();
  /** Where each volume of each pod lies. */
  readonly #places = new Map<string, Map<string, Place>>();

  readonly recursiveReadOnly: boolean;

  constructor(deps: VolumesDeps) {
    this.#deps = deps;
    this.recursiveReadOnly = deps.recursiveReadOnly;
  }

  #folder(uid: string): string {
    return join(this.#deps.home, "pods", uid);
  }

  #memory(uid = ""): string {
    return join(this.#deps.home, "memory", uid);
  }

  /** Once, before any pod: the place for what must not reach a disk. */
  async start(): Promise<void> {
    const memory = this.#memory();
    if (!isMountPoint(memory)) await mountNew("tmpfs", memory, "mode=0700");
    chmodSync(memory, 0o700);
  }

  async prepare(context: PodContext): Promise<string[]> {
    const places = new Map<string, Place>();
    this.#places.set(context.pod.metadata.uid ?? "", places);
    return this.#setAll(context, places, () => true);
  }

  async refresh(context: PodContext): Promise<string[]> {
    const uid = context.pod.metadata.uid ?? "";
    this.#tokens.get(uid)?.trying();
    return this.#setAll(context, new Map(), (follows) => follows);
  }

  /** Each on its own: one that cannot be set up holds up no other. */
  async #setAll(
    context: PodContext,
    places: Map<string, Place>,
    concerns: (follows: boolean) => boolean,
  ): Promise<string[]> {
    const own = this.#contextOf(context);
    const problems: string[] = [];
    const claims: { name: string; message: string }[] = [];
    for (const volume of usedVolumes(context.pod)) {
      const source = volumeSources.find((s) => s.matches(volume));
      if (volume.image || !concerns(source?.follows ?? false)) continue; // images come when a container mounts them
      try {
        if (!source) throw new VolumeError(`${typeOf(volume)} volumes cannot be mounted by this node`);
        const follows = source.follows ?? false;
        const readOnly = follows || (source.readOnly?.(volume) ?? false);
        places.set(volume.name, { path: await source.prepare(volume, own), readOnly, follows });
      } catch (error) {
        const { message } = error as Error;
        if (error instanceof ClaimError) claims.push({ name: volume.name, message });
        else if (error instanceof MountFailure) problems.push(message);
        else problems.push(`MountVolume.SetUp failed for volume "${volume.name}" : ${message}`);
      }
    }
    return [...problems, ...unprocessed(claims)];
  }

  pauseMs(uid: string): number | undefined {
    return this.#deps.csi?.pauseMs(uid);
  }

  refreshAt(uid: string): number {
    return this.#tokens.get(uid)?.refreshAt() ?? Infinity;
  }

  async mountsOf(pod: CoreV1Pod, container: CoreV1Container, context: MountContext): Promise<ContainerMount[]> {
    const uid = pod.metadata.uid ?? "";
    const mounts: ContainerMount[] = [];
    const whole: ContainerMount[] = [];
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const image = context.images.get(mount.name);
      const place = image ? await this.#imagePlace(uid, image) : this.#places.get(uid)?.get(mount.name);
      if (!place)
        throw new VolumeError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
      const subPath = subPathOf(mount, context.env);
      let source = place.path;
      if (subPath && image) source = imageFolder(place.path, subPath);
      else if (subPath) {
        source = join(this.#folder(uid), SUB_PATHS, container.name, `${index}`);
        const what = `volumeMount "${mount.name}" of container "${container.name}"`;
        await bindSubPath({ volume: place.path, path: subPath, target: source, what });
      }
      // As runtimes do for kubelets.
      if (!isMountPoint(source) && !existsSync(source)) mkdirSync(source, { recursive: true, mode: 0o755 });
      if (source.includes(":")) source = linkTo(source, join(this.#folder(uid), "links", container.name, `${index}`));
      const made = this.#mount(source, mount, place.readOnly);
      if (made.propagation) await share(source, made.propagation);
      mounts.push(made);
      if (place.follows && !subPath) whole.push(made);
    }
    for (const mount of whole) makeMountPoints(mount, mounts);
    return [...mounts, ...this.#devicesOf(uid, container)];
  }

  #devicesOf(uid: string, { name: container, volumeDevices = [] }: CoreV1Container): ContainerMount[] {
    return volumeDevices.map(({ name, devicePath }) => {
      const place = this.#places.get(uid)?.get(name);
      if (!place) throw new VolumeError(`cannot find volume "${name}" to pass into container "${container}"`);
      return { source: place.path, target: devicePath, device: place.readOnly ? "r" : "rwm" };
    });
  }

  #mount(source: string, mount: CoreV1VolumeMount, readOnly: boolean): ContainerMount {
    const recursive = isRecursivelyReadOnly(mount, this.recursiveReadOnly);
    const propagation = propagations[mount.mountPropagation ?? ""];
    return {
      source,
      target: resolve("/", mount.mountPath),
      ...(mount.readOnly || readOnly ? { readOnly: true } : {}),
      ...(recursive ? { recursive } : {}),
      ...(propagation ? { propagation } : {}),
    };
  }

  /** Mounted once for all containers of a pod. */
  async #imagePlace(uid: string, { id, name }: VolumeImage): Promise<Place> {
    const path = join(this.#folder(uid), "images", id.replace(/\W/g, "-"));
    try {
      if (!isMountPoint(path)) await this.#deps.images.mount(name, path);
    } catch (error) {
      throw new ImageVolumeError((error as Error).message);
    }
    return { path, readOnly: true, follows: false };
  }

  file(uid: string, volume: string, path: string): { place: string; read(): string } | undefined {
    const place = this.#places.get(uid)?.get(volume)?.path;
    if (place === undefined) return undefined;
    return { place: join(place, path), read: () => readInside(place, path, MOST_FILE_BYTES) };
  }

  async release(uid: string): Promise<void> {
    const own = ["subpaths", "links", "images", "volumes"].map((name) => join(this.#folder(uid), name));
    await this.#delete(uid, [this.#memory(uid), ...own]);
  }

  async remove(uid: string): Promise<void> {
    await removeBound(join(this.#folder(uid), SUB_PATHS));
    // The pod's own folder goes last: what is there leads to the rest after a crash.
    await this.#delete(uid, [this.#memory(uid), this.#folder(uid)]);
  }

  async #delete(uid: string, folders: readonly string[]): Promise<void> {
    await this.#deps.csi?.release(uid);
    this.#places.delete(uid);
    this.#tokens.delete(uid);
    const images = join(this.#folder(uid), "images");
    if (existsSync(images))
      for (const entry of readdirSync(images)) await this.#deps.images.unmount(join(images, entry));
    for (const folder of folders) {
      if (!existsSync(folder)) continue;
      await unmountAll(folder);
      // What is mounted there still is not the pod's own: it must not go with it.
      if (mountPoints(folder).length > 0) throw new Error(`${folder} cannot be unmounted`);
      rmSync(folder, { recursive: true, force: true });
    }
    await unmountUnused(this.#deps.home);
  }

  #contextOf(context: PodContext): VolumeContext {
    const uid = context.pod.metadata.uid ?? "";
    const folder = this.#folder(uid);
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    let tokens = this.#tokens.get(uid);
    if (!tokens) {
      tokens = new PodTokens(join(folder, "tokens.json"), this.#deps.api, this.#deps.now);
      this.#tokens.set(uid, tokens);
    }
    const held = tokens;
    return {
      ...context,
      home: this.#deps.home,
      folder,
      memoryFolder: this.#memory(uid),
      now: this.#deps.now(),
      makeVolume: this.#deps.makeVolume,
      csi: this.#deps.csi,
      isElsewhere: (volume) => usersOf(this.#deps.home, volume).some((user) => user !== uid),
      tell: (...warning) => context.tell?.(...warning),
      token: (request) => held.token(context.pod, request),
    };
  }
}

const propagations: Record<string, ContainerMount["propagation"]> = {
  HostToContainer: "rslave",
  Bidirectional: "rshared",
};

/** Those whose claims are not bound, as the kubelet tells of all of a pod's at once. */
function unprocessed(claims: readonly { name: string; message: string }[]): string[] {
  if (claims.length === 0) return [];
  const names = `[${claims.map(({ name }) => name).join(" ")}]`;
  const which = `unmounted volumes=${names}, unattached volumes=[], failed to process volumes=${names}`;
  return [`Unable to attach or mount volumes: ${which}: ${claims.map(({ message }) => message).join("; ")}`];
}

const typeOf = ({ name: _, ...source }: CoreV1Volume): string => Object.keys(source)[0] ?? "unknown";
