/** Brings this node's agent to the version that the cluster wants, and tells the cluster when that came to nothing. */
import {
  FAILED_VERSION,
  partName,
  ROLLOUT_NAMESPACE,
  releaseName,
  WANTED_VERSION,
} from "../../worker/lib/agent-rollout.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Api } from "../volumes/tokens.ts";
import { readArchive, sha256Of } from "./archive.ts";
import { begin, confirm, type Failure, failure, isVersion, PROGRAM, unpack } from "./versions.ts";

type ConfigMap = { data?: Record<string, string>; binaryData?: Record<string, string> };

export type UpdaterOptions = {
  home: string;
  node: string;
  /** What runs. */
  version: string;
  /** What is installed beside updates. */
  base: string;
  api: Api;
  log(message: string): void;
  /** Ends this agent, so that the version which is now current starts. */
  restart(): void;
};

const MOST_PARTS = 64;
const DEFAULT_TRIAL_SECONDS = 120;

export class Updater {
  readonly #options: UpdaterOptions;
  #wanted: string | undefined;
  #working = false;
  /** The failure that the cluster was told of. */
  #told = "";

  constructor(options: UpdaterOptions) {
    this.#options = options;
  }

  /** The node's own object, as the cluster tells it. */
  heard(node: { metadata?: { annotations?: Record<string, string> } } | undefined): void {
    const wanted = node?.metadata?.annotations?.[WANTED_VERSION];
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.look();
  }

  /** The cluster can be asked, and has this node as it is. */
  async online(): Promise<void> {
    const { home, log } = this.#options;
    try {
      confirm(home);
      const failed = failure(home);
      if (failed) await this.#tell(failed);
    } catch (error) {
      log(`updates: ${errorText(error)}`);
    }
    this.look();
  }

  /** Begins what is wanted, if it is anything new. */
  look(): void {
    const { version, log } = this.#options;
    const wanted = this.#wanted;
    if (!wanted || wanted === version || this.#working) return;
    this.#working = true;
    this.#update(wanted)
      .catch((error: unknown) => log(`version ${wanted} is not taken now: ${errorText(error)}`))
      .finally(() => {
        this.#working = false;
      });
  }

  async #update(version: string): Promise<void> {
    const { home, base, log, restart } = this.#options;
    if (!isVersion(version)) return this.#tell({ version, sha256: "", why: "this is no name of a version" });
    const { data = {} } = await this.#read(releaseName(version));
    const { sha256 = "" } = data;
    const failed = failure(home);
    if (failed?.version === version && failed.sha256 === sha256) return this.#tell(failed);
    log(`the cluster wants version ${version} of this agent`);
    const parts = Math.min(Number(data.parts) || 1, MOST_PARTS);
    const bytes: Buffer[] = [];
    for (let part = 0; part < parts; part++) {
      const { binaryData } = await this.#read(partName(version, part));
      bytes.push(Buffer.from(binaryData?.part ?? "", "base64"));
    }
    const archive = Buffer.concat(bytes);
    if (sha256Of(archive) !== sha256)
      return this.#tell({ version, sha256, why: `its archive has the digest ${sha256Of(archive)} and not ${sha256}` });
    const files = await readArchive(archive).catch((error: unknown) => errorText(error));
    if (typeof files === "string" || !files.has(PROGRAM))
      return this.#tell({ version, sha256, why: `its archive is none of an agent: ${files}` });
    unpack(home, version, files, base);
    begin(home, { version, sha256, seconds: Number(data.trialSeconds) || DEFAULT_TRIAL_SECONDS });
    restart();
  }

  /** Rejects where it cannot be had now: it is asked for again at the next connection. */
  async #read(name: string): Promise<ConfigMap> {
    const { code, body } = await this.#options.api("GET", `/api/v1/namespaces/${ROLLOUT_NAMESPACE}/configmaps/${name}`);
    if (code !== 200) throw new Error((body as { message?: string } | null)?.message ?? `${name}: code ${code}`);
    return body as ConfigMap;
  }

  async #tell({ version, why, sha256 }: Failure): Promise<void> {
    const { api, node, log } = this.#options;
    const text = `${version}: ${why}`;
    if (this.#told === `${text}${sha256}`) return;
    log(`version ${version} of the agent does not work here: ${why}`);
    const patch = { metadata: { annotations: { [FAILED_VERSION]: text } } };
    const { code } = await api(
      "PATCH",
      `/api/v1/nodes/${encodeURIComponent(node)}`,
      patch,
      "application/merge-patch+json",
    );
    if (code < 300) this.#told = `${text}${sha256}`;
  }
}
