/**
 * Volumes of CSI drivers on this node: each staged once, published to every pod that has it, and the other way round.
 * Places are a kubelet's: drivers know them.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CoreV1PersistentVolume, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { uniqueName } from "../../worker/lib/volume-attachments.ts";
import type { Timers } from "../effects.ts";
import { writeFile } from "../local/home.ts";
import { isMountPoint, unmountAll } from "../volumes/mounts.ts";
import { own } from "../volumes/persistent/ownership.ts";
import type { Api } from "../volumes/tokens.ts";
import type { TokenRequest } from "../volumes/volume.ts";
import { NotAttached, waitForAttachment } from "./attachment.ts";
import { Capability, type CsiDriver, type Wanted } from "./driver.ts";
import { type DriverObject, driverObject, fsGroupOf, podInfo, secretOf, tokensOf } from "./driver-object.ts";
import { RpcError } from "./grpc-client.ts";

export type SecretRef = { namespace: string; name: string };

export type CsiVolume = {
  /** Of the PersistentVolume, or of a pod's own volume. */
  name: string;
  lifecycle: "Persistent" | "Ephemeral";
  driver: string;
  handle: string;
  attributes: Readonly<Record<string, string>>;
  fsType: string;
  accessModes: readonly string[];
  options: readonly string[];
  isBlock: boolean;
  readOnly: boolean;
  stageSecret?: SecretRef;
  publishSecret?: SecretRef;
};

export type CsiUser = { pod: CoreV1Pod; token(request: TokenRequest): Promise<string> };

/** What was done for a pod, written before it is done. */
type Mounted = {
  driver: string;
  handle: string;
  /** The driver attaches volumes to nodes. */
  attached: boolean;
  target: string;
  /** "" for none. */
  staging: string;
  published: boolean;
};

export type CsiParts = {
  /** Where kubelets have theirs. */
  root: string;
  /** The node's own, in which pods have their folders. */
  home: string;
  node: string;
  api: Api;
  timers: Timers;
  driver(name: string): CsiDriver | undefined;
  log?(message: string): void;
};

/** What is in the way, and of which step of a kubelet's; `text` without the package's name in front. */
export class CsiFailure extends Error {
  override readonly name = "CsiFailure";
  readonly doing: "MountDevice" | "SetUp";

  constructor(doing: "MountDevice" | "SetUp", text: string) {
    super(text);
    this.doing = doing;
  }
}

/** Between two times that a volume is waited for to be attached: doubled each time. A node hears when it is. */
const PAUSE_MS = 10_000;
const MOST_PAUSE_MS = 120_000;
const PREFIX = "kubernetes.io/csi: ";
/** Codes of gRPC by which a driver says that a volume can never be so large; a kubelet words them otherwise. */
const INFEASIBLE = [3, 5, 11];
const unreported = ({ name }: CsiVolume) =>
  `volume ${JSON.stringify(name)} has not been added to the list of VolumesInUse in the node's volume status`;
const notRegistered = (driver: string) => `driver name ${driver} not found in the list of registered CSI drivers`;

export class CsiVolumes {
  /** Other volumes are in use now. Resolves to whether the cluster knows. */
  onChange: () => Promise<boolean> = async () => true;
  readonly #parts: CsiParts;
  /** What is being done about a volume, by its driver and handle: one thing after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** How often in turn each volume of each pod was waited for in vain, by the file of its record. */
  readonly #waits = new Map<string, number>();
  /** Files of records that cannot be read, and were told of. */
  readonly #unreadable = new Set<string>();

  constructor(parts: CsiParts) {
    this.#parts = parts;
  }

  /** The unique names of attached volumes that are in use here, as a Node's status has them. */
  inUse(): string[] {
    const names = this.#records().flatMap(({ record }) => (record.attached ? [uniqueName(record)] : []));
    return [...new Set(names)].sort();
  }

  /** Returns where the volume lies for the pod: a folder, or a device. Throws `CsiFailure`. */
  mount(volume: CsiVolume, user: CsiUser): Promise<string> {
    return this.#inTurn(`${volume.driver}^${volume.handle}`, () => this.#mount(volume, user));
  }

  async #mount(volume: CsiVolume, user: CsiUser): Promise<string> {
    const { lifecycle, name, isBlock } = volume;
    const isPersistent = lifecycle === "Persistent";
    const uid = user.pod.metadata.uid ?? "";
    const target = isBlock
      ? join(this.#parts.root, "plugins/kubernetes.io/csi/volumeDevices/publish", name, uid)
      : join(this.#parts.root, "pods", uid, "volumes/kubernetes.io~csi", name, "mount");
    const file = this.#fileOf(uid, name);
    const waits = this.#waits.get(file) ?? 0;
    this.#waits.delete(file);
    const known = readRecord(file);
    // As after a restart of the agent, which its driver need not notice.
    if (known?.published && isMountPoint(target)) return target;
    const driver = this.#parts.driver(volume.driver);
    if (!driver) throw absent(volume);
    const about = await driverObject(this.#parts.api, volume.driver);
    checkLifecycle(volume, about);
    const attached = isPersistent && (about?.attachRequired ?? true);
    if (attached) await this.#attachment(volume, file, waits);
    const stages = isPersistent && (await this.#asking("MountDevice", driver.can(Capability.stage)));
    const staging = stages ? this.#stagingOf(volume) : "";
    const record: Mounted = { driver: driver.name, handle: volume.handle, attached, target, staging, published: false };
    this.#write(file, record);
    if (attached && !(await this.onChange())) throw new CsiFailure("MountDevice", unreported(volume));
    // Until the cluster knew that it is in use, it may have been detached.
    const publishContext = attached ? await this.#attachment(volume, file, waits) : {};
    const wanted = { ...this.#wanted(volume, user, about, driver), publishContext, staging };
    if (staging) await this.#stage(driver, volume, await wanted.stage());
    await this.#publish(driver, volume, user, about, { wanted: await wanted.publish(), target });
    this.#write(file, { ...record, published: true });
    return target;
  }

  async #attachment(volume: CsiVolume, file: string, waits: number): Promise<Record<string, string>> {
    try {
      return await waitForAttachment(this.#parts, volume);
    } catch (error) {
      if (error instanceof NotAttached) this.#waits.set(file, waits + 1);
      throw error;
    }
  }

  /** How long a pod whose volumes are not attached is to wait before it asks for them again, ms; undefined where all are. */
  pauseMs(uid: string): number | undefined {
    const waits = [...this.#waits].flatMap(([file, times]) => (dirname(file) === this.#folderOf(uid) ? [times] : []));
    return waits.length > 0 ? Math.min(PAUSE_MS * 2 ** (Math.min(...waits) - 1), MOST_PAUSE_MS) : undefined;
  }

  #wanted(volume: CsiVolume, { pod, token }: CsiUser, about: DriverObject | undefined, driver: CsiDriver) {
    const { handle, accessModes, isBlock, fsType, options, attributes, stageSecret, publishSecret } = volume;
    const { api } = this.#parts;
    const group = async () => {
      const wanted = pod.spec.securityContext?.fsGroup;
      return wanted !== undefined && !isBlock && (await driver.can(Capability.mountGroup)) ? wanted : undefined;
    };
    const of = async (more: Partial<Wanted>): Promise<Wanted> => ({
      volumeId: handle,
      accessMode: accessModes[0] ?? "ReadWriteOnce",
      isBlock,
      fsType,
      options,
      group: await group(),
      publishContext: {},
      volumeContext: attributes,
      secrets: {},
      staging: "",
      ...more,
    });
    const given = { publishContext: {}, staging: "" } as Pick<Wanted, "publishContext" | "staging">;
    return {
      ...given,
      async stage() {
        const secrets = await secretOf(api, stageSecret, "NodeStageSecretRef");
        return of({ publishContext: this.publishContext, staging: this.staging, secrets });
      },
      async publish() {
        const secrets = await secretOf(api, publishSecret, "NodePublishSecretRef");
        const tokens = await tokensOf(about, token);
        const inSecrets = about?.serviceAccountTokenInSecrets;
        return of({
          publishContext: this.publishContext,
          staging: this.staging,
          secrets: { ...secrets, ...(inSecrets && tokens) },
          volumeContext: { ...attributes, ...podInfo(about, pod, volume.lifecycle), ...(!inSecrets && tokens) },
        });
      },
    };
  }

  async #stage(driver: CsiDriver, { isBlock }: CsiVolume, wanted: Wanted): Promise<void> {
    if (!isBlock && isMountPoint(wanted.staging)) return;
    mkdirSync(wanted.staging, { recursive: true, mode: 0o750 });
    await this.#asking("MountDevice", driver.stage(wanted));
  }

  async #publish(
    driver: CsiDriver,
    volume: CsiVolume,
    { pod }: CsiUser,
    about: DriverObject | undefined,
    { wanted, target }: { wanted: Wanted; target: string },
  ): Promise<void> {
    mkdirSync(dirname(target), { recursive: true, mode: 0o750 });
    await this.#asking("SetUp", driver.publish(wanted, target, volume.readOnly));
    const group = wanted.group === undefined ? fsGroupOf(volume, pod, about) : undefined;
    const policy = pod.spec.securityContext?.fsGroupChangePolicy;
    if (group !== undefined) await own(target, { group, policy });
  }

  /** The driver's refusals are told as they are. */
  async #asking<T>(doing: CsiFailure["doing"], answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw new CsiFailure(doing, (error as Error).message);
    }
  }

  /** Takes all volumes of a pod from it. Rejects while a driver does not do so, or is not there. */
  async release(uid: string): Promise<void> {
    for (const file of this.#waits.keys()) if (dirname(file) === this.#folderOf(uid)) this.#waits.delete(file);
    for (const { file, record } of this.#recordsOf(uid))
      await this.#inTurn(`${record.driver}^${record.handle}`, () => this.#unmount(file, record));
    const folder = join(this.#parts.root, "pods", uid);
    if (existsSync(folder) && !isInside(folder, this.#parts.home)) {
      await unmountAll(folder);
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Lets the file system of a volume that a pod has here grow; false where no pod has it. Rejects as the driver does. */
  async expand({ spec }: CoreV1PersistentVolume, bytes: number): Promise<boolean> {
    const { driver: name = "", volumeHandle = "", nodeExpandSecretRef: ref, fsType = "" } = spec?.csi ?? {};
    const used = this.#records().find(({ record }) => record.driver === name && record.handle === volumeHandle);
    const driver = this.#parts.driver(name);
    if (!used?.record.published || !driver || !(await driver.can(Capability.expand))) return false;
    const secret = ref?.name ? { namespace: ref.namespace ?? "", name: ref.name } : undefined;
    const wanted: Wanted = {
      volumeId: volumeHandle,
      accessMode: spec?.accessModes?.[0] ?? "ReadWriteOnce",
      isBlock: spec?.volumeMode === "Block",
      fsType,
      options: spec?.mountOptions ?? [],
      publishContext: {},
      volumeContext: {},
      secrets: await secretOf(this.#parts.api, secret, "NodeExpandSecretRef"),
      staging: used.record.staging,
    };
    const key = `${name}^${volumeHandle}`;
    try {
      await this.#inTurn(key, () => driver.expand(wanted, used.record.target, bytes));
    } catch (error) {
      const isFinal = error instanceof RpcError && INFEASIBLE.includes(error.code);
      throw new Error(`Expander.NodeExpand failed to expand the volume ${isFinal ? "" : ": "}${errorText(error)}`);
    }
    return true;
  }

  async #unmount(file: string, record: Mounted): Promise<void> {
    const { handle, target, staging } = record;
    const driver = this.#parts.driver(record.driver);
    const missing = (what: string) =>
      new Error(`${PREFIX}${what} failed to get CSI client: ${notRegistered(record.driver)}`);
    if (!driver) throw missing("Unmounter.TearDownAt");
    await driver.unpublish(handle, target);
    for (const path of [target, dirname(target)]) removeEmpty(path);
    this.#write(file, { ...record, published: false });
    const others = this.#records().filter((other) => other.file !== file && other.record.staging === staging);
    if (staging && others.length === 0) {
      await driver.unstage(handle, staging);
      for (const path of [staging, dirname(staging)]) removeEmpty(path);
    }
    rmSync(file);
    void this.onChange();
  }

  /** Per volume, as other nodes' kubelets do. */
  #stagingOf({ driver, handle, name, isBlock }: CsiVolume): string {
    const plugin = join(this.#parts.root, "plugins/kubernetes.io/csi");
    if (isBlock) return join(plugin, "volumeDevices/staging", name);
    return join(plugin, driver, createHash("sha256").update(handle).digest("hex"), "globalmount");
  }

  #folderOf = (uid: string) => join(this.#parts.home, "pods", uid, "csi");
  #fileOf = (uid: string, name: string) => join(this.#folderOf(uid), `${name}.json`);

  #write(file: string, record: Mounted): void {
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    writeFile(file, JSON.stringify(record));
    this.#unreadable.delete(file);
  }

  #recordsOf(uid: string): { file: string; record: Mounted }[] {
    return recordsIn(this.#folderOf(uid)).flatMap(({ file, record }) => {
      if (record) return [{ file, record }];
      if (!this.#unreadable.has(file)) this.#parts.log?.(`${file} cannot be read`);
      this.#unreadable.add(file);
      return [];
    });
  }

  #records(): { file: string; record: Mounted }[] {
    return list(join(this.#parts.home, "pods")).flatMap((uid) => this.#recordsOf(uid));
  }

  #inTurn<T>(key: string, body: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(body, body);
    const over = turn
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(key) === over) this.#turns.delete(key);
      });
    this.#turns.set(key, over);
    return turn;
  }
}

/** Where drivers have mounted volumes for the pods of a node. */
export const placesOf = (home: string): string[] =>
  list(join(home, "pods")).flatMap((uid) => {
    const records = recordsIn(join(home, "pods", uid, "csi")).flatMap(({ record }) => record ?? []);
    return records.flatMap(({ target, staging }) => (staging ? [target, staging] : [target]));
  });

/** A folder or file that drivers are to leave empty, and may have removed: what is in it is nobody's to delete. */
function removeEmpty(path: string): void {
  try {
    if (statSync(path).isDirectory()) rmdirSync(path);
    else rmSync(path);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EBUSY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** `record` is undefined where it cannot be read. */
const recordsIn = (folder: string): { file: string; record: Mounted | undefined }[] =>
  list(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({ file: join(folder, name), record: readRecord(join(folder, name)) }));

function readRecord(file: string): Mounted | undefined {
  try {
    const record = JSON.parse(readFileSync(file, "utf8")) as Mounted | null;
    return record?.target ? record : undefined;
  } catch {
    return undefined;
  }
}

const isInside = (path: string, folder: string) => path.startsWith(`${folder}/pods/`);

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What a kubelet says of a driver that it does not know. */
export function absent({ driver, lifecycle }: CsiVolume): CsiFailure {
  if (lifecycle === "Ephemeral")
    return new CsiFailure("SetUp", `${PREFIX}mounter.SetUpAt failed to get CSI client: ${notRegistered(driver)}`);
  const doing = "attacher.MountDevice failed to create newCsiDriverClient";
  return new CsiFailure("MountDevice", `${PREFIX}${doing}: ${notRegistered(driver)}`);
}

function checkLifecycle({ lifecycle, driver }: CsiVolume, about: DriverObject | undefined): void {
  const refuse = (why: string) => {
    const problem = `volume mode ${JSON.stringify(lifecycle)} not supported by driver ${driver} (${why})`;
    return new CsiFailure("SetUp", `${PREFIX}mounter.SetupAt failed to check volume lifecycle mode: ${problem}`);
  };
  if (!about && lifecycle === "Ephemeral") throw refuse("no CSIDriver object");
  const modes = about?.volumeLifecycleModes ?? ["Persistent"];
  if (!modes.includes(lifecycle))
    throw refuse(`only supports [${modes.map((mode) => JSON.stringify(mode)).join(" ")}]`);
}
