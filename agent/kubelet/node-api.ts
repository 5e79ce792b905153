/** The node's own API, as the agent has it: joined to what it tells of, to the cluster, and to its port. */
import type { CoreV1NodeAddress, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import type { NodeUsage } from "../../worker/protocol/link.ts";
import type { Timers } from "../effects.ts";
import type { ContentStore } from "../images/content.ts";
import { BlobGiver } from "../images/peers/giver.ts";
import type { PodManager } from "../pods/manager.ts";
import type { Api } from "../volumes/tokens.ts";
import { Access } from "./access.ts";
import type { Answer, Question } from "./answer.ts";
import { ServingCertificate } from "./certificate.ts";
import type { Settings } from "./configuration.ts";
import { Kubelet } from "./kubelet.ts";
import type { PodOnNode } from "./node.ts";
import type { Observations, Probed } from "./observations.ts";
import type { NodeFigures } from "./sampler.ts";
import { KubeletServer } from "./server.ts";

/** The kubelet's own. */
export const DEFAULT_PORT = 10_250;
const ANY_ADDRESS = "0.0.0.0";

export type NodeApiParts = {
  home: string;
  node: string;
  /** Where the cluster's API is, as the host in what is counted of requests to it. */
  server: string;
  /** Undefined for the usual one, or any other where that is taken; 0 for none. */
  port: number | undefined;
  version: string;
  effects: Effects & Timers;
  observations: Observations;
  pods(): readonly CoreV1Pod[];
  /** PEM of the cluster's CA; "" until the cluster has said. */
  authority(): string;
  addresses(): readonly CoreV1NodeAddress[];
  settings(): Omit<Settings, "port" | "cgroupVersion">;
  runtimePid(): number | undefined;
  content: Pick<ContentStore, "find">;
  log(message: string): void;
};

export class NodeApi {
  readonly #parts: NodeApiParts;
  readonly #kubelet: Kubelet;
  readonly #certificate: ServingCertificate;
  readonly #server: KubeletServer;
  /** Of the cluster, counted; from the start of the agent's core. */
  #api: Api = () => Promise.reject(new Error("the agent has not started"));
  #manager: Pick<PodManager, "find" | "present"> = { find: () => undefined, present: () => [] };
  #port = 0;
  #imageBytes = 0;
  #runtimeAnswers = true;

  constructor(parts: NodeApiParts) {
    const { home, node, effects, log } = parts;
    this.#parts = parts;
    const api: Api = (...request) => this.#api(...request);
    const onChange = () => void this.#renew();
    this.#certificate = new ServingCertificate({ home, node, api, effects, onChange, log });
    this.#kubelet = new Kubelet({
      name: node,
      home,
      version: parts.version,
      effects,
      pods: parts.pods,
      present: () => this.#manager.present(),
      find: (...of) => this.#manager.find(...of),
      settings: (cgroupVersion) => ({ ...parts.settings(), port: this.#port, cgroupVersion }),
      imageBytes: () => this.#imageBytes,
      runtimePid: parts.runtimePid,
      certificateEnds: () => (this.#port ? this.#certificate.ends() : undefined),
      health: () => (this.#runtimeAnswers ? undefined : "the container runtime does not answer"),
      observations: parts.observations,
      log,
    });
    const access = new Access({ node, api, now: effects.now });
    const { content, authority } = parts;
    const giver = new BlobGiver({ content, authority, now: effects.now });
    this.#server = new KubeletServer({
      answer: (question) => this.answer(question),
      give: (...asked) => giver.answer(...asked),
      access,
      log,
    });
  }

  /** 0 while nobody listens. */
  get port(): number {
    return this.#port;
  }

  /** Before the node says where it can be asked. A port that is taken is told of, and not fatal. */
  async listen(): Promise<void> {
    const { port = DEFAULT_PORT, log } = this.#parts;
    if (port === 0) return;
    const credentials = await this.#credentials();
    const at = (wanted: number) => this.#server.listen(ANY_ADDRESS, wanted, credentials);
    try {
      this.#port = await at(port);
    } catch (error) {
      log(`port ${port} of this node: ${errorText(error)}`);
      if (this.#parts.port === undefined) this.#port = await at(0);
    }
  }

  /** The agent's core begins. Returns the cluster's API, counted. */
  open(manager: () => Pick<PodManager, "find" | "present">, api: Api): Api {
    const present = (): readonly PodOnNode[] => manager().present();
    this.#manager = { find: (...of) => manager().find(...of), present };
    this.#api = this.#parts.observations.watching(api, new URL(this.#parts.server).host, present);
    return this.#api;
  }

  /** The cluster has said who it is; nobody else's certificates are believed. */
  welcomed(): void {
    if (this.#port) void this.#renew();
  }

  /** The node is known to the cluster, and is looked at at intervals. */
  registered(): void {
    if (this.#port) this.#certificate.keep(this.#parts.addresses(), this.#parts.authority());
  }

  sawImages(images: readonly { Size?: number }[]): void {
    this.#imageBytes = images.reduce((sum, { Size = 0 }) => sum + Size, 0);
  }

  readonly probed = (pod: Pick<PodOnNode, "memory">, probe: Probed): void =>
    this.#parts.observations.probed(pod, probe);

  sawRuntime(answers: boolean): void {
    this.#runtimeAnswers = answers;
  }

  answer(question: Question): Promise<Answer> {
    return this.#kubelet.answer(question);
  }

  usage(pods: boolean): Promise<NodeUsage> {
    return this.#kubelet.usage(pods);
  }

  look(): NodeFigures {
    return this.#kubelet.look();
  }

  stop(): void {
    this.#kubelet.stop();
    this.#certificate.stop();
    this.#server.close();
  }

  async #credentials() {
    const { addresses, authority } = this.#parts;
    return { ...(await this.#certificate.current(addresses())), ca: authority() };
  }

  async #renew(): Promise<void> {
    this.#server.renew(await this.#credentials());
  }
}
