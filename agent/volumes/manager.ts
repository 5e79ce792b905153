import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { CoreV1Container, CoreV1Pod, CoreV1VolumeMount } from "../../worker/kinds/generated/types.ts";
import type { Desired } from "../desired.ts";
import type { FieldContext } from "../pods/fields.ts";
import { bindSubPath, isMountPoint, mountTmpfs, unmountAll } from "./mounts.ts";
import { volumeSources } from "./sources.ts";
import { subPathOf } from "./sub-path.ts";
import { type Api, PodTokens } from "./tokens.ts";
import { type VolumeContext, VolumeError, type VolumeSource } from "./volume.ts";

export type PodContext = { pod: CoreV1Pod; desired: Pick<Desired, "configMaps" | "secrets">; fields: FieldContext };

/** The volumes of a node's pods. */
export interface PodVolumes {
  /** Makes all volumes of a pod or brings them up to date. Throws `VolumeError` for the first that cannot be. */
  prepare(context: PodContext): Promise<void>;
  /** Brings those up to date that follow objects of the API. What cannot be refreshed keeps its content. */
  refresh(context: PodContext): Promise<void>;
  /** When `refresh` is due though no object changed (ms since the epoch). */
  refreshAt(uid: string): number;
  /** The mounts of a container, as `[place on this machine, mount]`. */
  mountsOf(pod: CoreV1Pod, container: CoreV1Container, env: ReadonlyMap<string, string>): Promise<Mount[]>;
  /** The place of the /dev/shm that a pod's containers have in common. */
  sharedMemory(uid: string): Promise<string>;
  /** Unmounts and deletes all that belongs to a pod. */
  remove(uid: string): Promise<void>;
}

type Mount = [string, CoreV1VolumeMount];

type Place = { path: string; readOnly: boolean };

/** As container runtimes give a pod by default. */
const SHARED_MEMORY_BYTES = 64 * 1024 * 1024;

/** Under `HOME/pods/UID` and, for secrets, in memory. */
export class Volumes implements PodVolumes {
  readonly #home: string;
  readonly #api: Api;
  readonly #now: () => number;
  readonly #tokens = new Map<string, PodTokens>();
  /** Where each volume of each pod lies. */
  readonly #places = new Map<string, Map<string, Place>>();

  constructor(deps: { home: string; api: Api; now: () => number }) {
    this.#home = deps.home;
    this.#api = deps.api;
    this.#now = deps.now;
  }

  #folder(uid: string): string {
    return join(this.#home, "pods", uid);
  }

  /** Once, before any pod: the place for what must not reach a disk. */
  async start(): Promise<void> {
    const memory = join(this.#home, "memory");
    if (!isMountPoint(memory)) await mountTmpfs(memory);
  }

  async prepare(context: PodContext): Promise<void> {
    const places = new Map<string, Place>();
    for (const volume of context.pod.spec.volumes ?? []) {
      const source = volumeSources.find((s) => s.matches(volume));
      if (!source) throw new VolumeError(`Unable to attach or mount volume "${volume.name}": no volume plugin matched`);
      places.set(volume.name, { path: await this.#set(source, volume, context), readOnly: source.follows ?? false });
    }
    this.#places.set(context.pod.metadata.uid ?? "", places);
  }

  async refresh(context: PodContext): Promise<void> {
    this.#tokens.get(context.pod.metadata.uid ?? "")?.trying();
    for (const volume of context.pod.spec.volumes ?? []) {
      const source = volumeSources.find((s) => s.matches(volume));
      if (source?.follows) await this.#set(source, volume, context);
    }
  }

  refreshAt(uid: string): number {
    return this.#tokens.get(uid)?.refreshAt() ?? Infinity;
  }

  async mountsOf(pod: CoreV1Pod, container: CoreV1Container, env: ReadonlyMap<string, string>): Promise<Mount[]> {
    const uid = pod.metadata.uid ?? "";
    const mounts: Mount[] = [];
    for (const [index, wanted] of (container.volumeMounts ?? []).entries()) {
      const place = this.#places.get(uid)?.get(wanted.name);
      if (!place) throw new VolumeError(`volume "${wanted.name}" is not mounted`);
      const mount = place.readOnly ? { ...wanted, readOnly: true } : wanted;
      const subPath = subPathOf(mount, env);
      if (!subPath) mounts.push([place.path, mount]);
      else {
        const target = join(this.#folder(uid), "subpaths", container.name, `${index}`);
        await bindSubPath(place.path, subPath, target);
        mounts.push([target, mount]);
      }
    }
    makeMountPoints(mounts);
    return mounts;
  }

  async sharedMemory(uid: string): Promise<string> {
    const place = join(this.#folder(uid), "shm");
    if (!isMountPoint(place)) await mountTmpfs(place, SHARED_MEMORY_BYTES);
    return place;
  }

  async remove(uid: string): Promise<void> {
    this.#places.delete(uid);
    this.#tokens.delete(uid);
    for (const folder of [this.#folder(uid), join(this.#home, "memory", uid)]) {
      if (!existsSync(folder)) continue;
      await unmountAll(folder);
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #set(source: VolumeSource, volume: Parameters<VolumeSource["prepare"]>[0], context: PodContext) {
    try {
      return await source.prepare(volume, this.#contextOf(context));
    } catch (error) {
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`);
    }
  }

  #contextOf(context: PodContext): VolumeContext {
    const uid = context.pod.metadata.uid ?? "";
    const folder = this.#folder(uid);
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    let tokens = this.#tokens.get(uid);
    if (!tokens) {
      tokens = new PodTokens(join(folder, "tokens.json"), this.#api, this.#now);
      this.#tokens.set(uid, tokens);
    }
    const held = tokens;
    return {
      ...context,
      folder,
      memoryFolder: join(this.#home, "memory", uid),
      token: (request) => held.token(context.pod, request),
    };
  }
}

/** The runtime cannot make what other mounts are put on inside a volume that containers only read. */
function makeMountPoints(mounts: readonly Mount[]): void {
  for (const [place, { mountPath, readOnly }] of mounts) {
    if (!readOnly || !statSync(place).isDirectory()) continue;
    for (const [inner, { mountPath: innerPath }] of mounts) {
      const path = relative(mountPath, innerPath);
      if (path === "" || path.split(sep)[0] === ".." || existsSync(join(place, path))) continue;
      const isFolder = statSync(inner, { throwIfNoEntry: false })?.isDirectory() ?? true;
      mkdirSync(isFolder ? join(place, path) : dirname(join(place, path)), { recursive: true });
      if (!isFolder) writeFileSync(join(place, path), "");
    }
  }
}
