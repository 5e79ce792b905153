/**
 * The node's side of one CSI driver. https://github.com/container-storage-interface/spec/blob/master/spec.md
 */
import { fieldsIn, messageIn, numberIn, textIn } from "../grpc.ts";
import { unary } from "./grpc-client.ts";
import { longIn, mapOf, message } from "./messages.ts";

/** As a kubelet waits. */
const CALL_TIMEOUT_MS = 120_000;

export type DriverInfo = { nodeId: string; mostVolumes: number; topology: Readonly<Record<string, string>> };

/** Of `NodeServiceCapability.RPC`. */
export const Capability = {
  stage: 1,
  stats: 2,
  expand: 3,
  singleNodeMultiWriter: 5,
  mountGroup: 6,
} as const;

/** Of `VolumeCapability.AccessMode`. */
const Mode = {
  SINGLE_NODE_WRITER: 1,
  MULTI_NODE_READER_ONLY: 3,
  MULTI_NODE_MULTI_WRITER: 5,
  SINGLE_NODE_SINGLE_WRITER: 6,
  SINGLE_NODE_MULTI_WRITER: 7,
} as const;

type Texts = Readonly<Record<string, string>>;

/** What a volume is to be staged or published as. */
export type Wanted = {
  volumeId: string;
  /** One of Kubernetes' access modes. */
  accessMode: string;
  isBlock: boolean;
  fsType: string;
  options: readonly string[];
  /** A group that the driver itself gives the volume to. */
  group?: number;
  publishContext: Texts;
  volumeContext: Texts;
  secrets: Texts;
  /** "" where the driver does not stage. */
  staging: string;
};

export class CsiDriver {
  readonly name: string;
  readonly #socket: string;
  #capabilities: Promise<ReadonlySet<number>> | undefined;

  constructor(name: string, socket: string) {
    this.name = name;
    this.#socket = socket;
  }

  async info(): Promise<DriverInfo> {
    const answer = await this.#call("NodeGetInfo", message({}));
    const segments = fieldsIn(messageIn(answer, 3), 1).map((pair) => [textIn(pair, 1), textIn(pair, 2)] as const);
    return { nodeId: textIn(answer, 1), mostVolumes: longIn(answer, 2), topology: Object.fromEntries(segments) };
  }

  async can(capability: number): Promise<boolean> {
    this.#capabilities ??= this.#call("NodeGetCapabilities", message({})).then(
      (answer) => new Set(fieldsIn(answer, 1).map((one) => numberIn(messageIn(one, 1), 1))),
    );
    try {
      return (await this.#capabilities).has(capability);
    } catch (error) {
      this.#capabilities = undefined;
      throw error;
    }
  }

  async stage(wanted: Wanted): Promise<void> {
    const { volumeId, publishContext, staging, secrets, volumeContext } = wanted;
    await this.#call(
      "NodeStageVolume",
      message({
        1: volumeId,
        2: mapOf(publishContext),
        3: staging,
        4: await this.#capabilityOf(wanted),
        5: mapOf(secrets),
        6: mapOf(volumeContext),
      }),
    );
  }

  async unstage(volumeId: string, staging: string): Promise<void> {
    await this.#call("NodeUnstageVolume", message({ 1: volumeId, 2: staging }));
  }

  async publish(wanted: Wanted, target: string, readOnly: boolean): Promise<void> {
    const { volumeId, publishContext, staging, secrets, volumeContext } = wanted;
    await this.#call(
      "NodePublishVolume",
      message({
        1: volumeId,
        2: mapOf(publishContext),
        3: staging,
        4: target,
        5: await this.#capabilityOf(wanted),
        6: readOnly,
        7: mapOf(secrets),
        8: mapOf(volumeContext),
      }),
    );
  }

  async unpublish(volumeId: string, target: string): Promise<void> {
    await this.#call("NodeUnpublishVolume", message({ 1: volumeId, 2: target }));
  }

  /** Lets the file system of a volume grow, in bytes. */
  async expand(wanted: Wanted, path: string, bytes: number): Promise<void> {
    const { volumeId, staging, secrets } = wanted;
    await this.#call(
      "NodeExpandVolume",
      message({
        1: volumeId,
        2: path,
        3: message({ 1: bytes }),
        4: staging,
        5: await this.#capabilityOf(wanted),
        6: mapOf(secrets),
      }),
    );
  }

  async #capabilityOf({ accessMode, isBlock, fsType, options, group }: Wanted): Promise<Uint8Array> {
    const mode = message({ 1: await this.#modeOf(accessMode) });
    if (isBlock) return message({ 1: message({}), 3: mode });
    const mount = message({ 1: fsType, 2: options, 3: group === undefined ? undefined : `${group}` });
    return message({ 2: mount, 3: mode });
  }

  async #modeOf(accessMode: string): Promise<number> {
    if (accessMode === "ReadOnlyMany") return Mode.MULTI_NODE_READER_ONLY;
    if (accessMode === "ReadWriteMany") return Mode.MULTI_NODE_MULTI_WRITER;
    if (!(await this.can(Capability.singleNodeMultiWriter))) return Mode.SINGLE_NODE_WRITER;
    return accessMode === "ReadWriteOncePod" ? Mode.SINGLE_NODE_SINGLE_WRITER : Mode.SINGLE_NODE_MULTI_WRITER;
  }

  #call(method: string, request: Uint8Array): Promise<Uint8Array> {
    return unary(this.#socket, `/csi.v1.Node/${method}`, request, CALL_TIMEOUT_MS);
  }
}
