/**
 * CSI drivers make themselves known by a socket in a folder, as to a kubelet.
 * https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/#device-plugin-registration and
 * https://kubernetes-csi.github.io/docs/node-driver-registrar.html
 */
import { type FSWatcher, mkdirSync, readdirSync, type Stats, statSync, watch } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Timers } from "../effects.ts";
import { fieldsIn, textIn } from "../grpc.ts";
import { CsiDriver, type DriverInfo } from "./driver.ts";
import { unary } from "./grpc-client.ts";
import { message } from "./messages.ts";

const CSI = "CSIPlugin";
const CALL_TIMEOUT_MS = 10_000;
/** A driver makes its socket, and only then listens. */
const SETTLE_MS = 100;
const RETRY_MS = 1_000;
const MOST_RETRY_MS = 120_000;
/** After the folder could not be looked at. */
const LOOK_AGAIN_MS = 10_000;

export type PluginsParts = {
  /** Where kubelets have it, `plugins_registry` lies in. */
  root: string;
  timers: Timers;
  /** A driver is there: the cluster is to know. Rejects when it could not be told. */
  registered(driver: CsiDriver, info: DriverInfo): Promise<void>;
  gone(name: string): Promise<void>;
  log(message: string): void;
};

/** One socket, as it was when it was last looked at. */
type Seen = { made: number; driver?: string; cancel(): void };

export class Plugins {
  readonly #parts: PluginsParts;
  readonly #folder: string;
  readonly #seen = new Map<string, Seen>();
  readonly #drivers = new Map<string, CsiDriver>();
  #watcher: FSWatcher | undefined;
  #cancel = () => {};

  constructor(parts: PluginsParts) {
    this.#parts = parts;
    this.#folder = join(parts.root, "plugins_registry");
  }

  /** Drivers are known from here on; those that are there already soon. */
  start(): void {
    const { root } = this.#parts;
    // All that drivers' pods mount from a node.
    for (const name of ["plugins", "pods"]) mkdirSync(join(root, name), { recursive: true, mode: 0o750 });
    this.#look();
  }

  #lookIn(ms: number): void {
    this.#cancel();
    this.#cancel = this.#parts.timers.after(ms, () => this.#look());
  }

  /** Anew each time: the folder may be another one by now. */
  #watch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    mkdirSync(this.#folder, { recursive: true, mode: 0o750 });
    this.#watcher = watch(this.#folder, () => this.#lookIn(SETTLE_MS));
    this.#watcher.unref();
    this.#watcher.on("error", (error) => this.#parts.log(`drivers' sockets: ${errorText(error)}`));
  }

  stop(): void {
    this.#cancel();
    this.#watcher?.close();
    for (const { cancel } of this.#seen.values()) cancel();
  }

  driver(name: string): CsiDriver | undefined {
    return this.#drivers.get(name);
  }

  #look(): void {
    try {
      this.#watch();
      this.#compare(new Map(socketsIn(this.#folder)));
    } catch (error) {
      this.#parts.log(`drivers' sockets: ${errorText(error)}`);
      this.#lookIn(LOOK_AGAIN_MS);
    }
  }

  #compare(sockets: ReadonlyMap<string, number>): void {
    for (const [path, { made, driver, cancel }] of this.#seen) {
      if (sockets.get(path) === made) continue;
      cancel();
      this.#seen.delete(path);
      if (driver !== undefined && ![...this.#seen.values()].some((other) => other.driver === driver))
        if (!sockets.has(path)) this.#forget(driver);
    }
    for (const [path, made] of sockets) {
      if (this.#seen.has(path)) continue;
      this.#seen.set(path, { made, cancel: () => {} });
      void this.#register(path, made, RETRY_MS);
    }
  }

  #forget(driver: string): void {
    this.#drivers.delete(driver);
    const { gone, log } = this.#parts;
    gone(driver).catch((error: unknown) => log(`driver ${driver}: ${errorText(error)}`));
  }

  async #register(path: string, made: number, retryMs: number): Promise<void> {
    const { timers, log } = this.#parts;
    const now = () => {
      const seen = this.#seen.get(path);
      return seen?.made === made ? seen : undefined;
    };
    try {
      const info = await unary(path, "/pluginregistration.Registration/GetInfo", message({}), CALL_TIMEOUT_MS);
      const seen = now();
      if (!seen || textIn(info, 1) !== CSI) return;
      seen.driver = textIn(info, 2);
      const problem = await this.#introduce(info, path).catch(errorText);
      const told = message({ 1: problem === undefined, 2: problem });
      await unary(path, "/pluginregistration.Registration/NotifyRegistrationStatus", told, CALL_TIMEOUT_MS);
      if (problem !== undefined) throw new Error(problem);
      log(`CSI driver ${seen.driver} is registered`);
    } catch (error) {
      const seen = now();
      if (!seen) return;
      log(`${path}: ${errorText(error)}`);
      const next = Math.min(retryMs * 2, MOST_RETRY_MS);
      seen.cancel = timers.after(retryMs, () => void this.#register(path, made, next));
    }
  }

  /** What is in the way, in the kubelet's words. */
  async #introduce(info: Uint8Array, path: string): Promise<string | undefined> {
    const name = textIn(info, 2);
    const versions = fieldsIn(info, 4).map((version) => Buffer.from(version).toString());
    const doing = `kubernetes.io/csi: RegisterPlugin for CSI driver ${JSON.stringify(name)} failed.`;
    if (versions.length === 0) return `${doing} Plugin returned an empty list for supported versions`;
    if (!versions.some((version) => /^v?1\./.test(version)))
      return `${doing} None of the versions specified ${JSON.stringify(versions)} are supported.`;
    const driver = new CsiDriver(name, textIn(info, 3) || path);
    this.#drivers.set(name, driver);
    await this.#parts.registered(driver, await driver.info());
    return undefined;
  }
}

/** Sockets of a folder by their paths, with what tells one from another of its name. */
function* socketsIn(folder: string): Iterable<[string, number]> {
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    const found = entry.startsWith(".") ? undefined : statOf(path);
    if (found?.isSocket()) yield [path, found.ino * 1e6 + (found.ctimeMs % 1e6)];
  }
}

/** What leads nowhere is no socket. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
