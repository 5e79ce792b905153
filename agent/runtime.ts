import type { Fetching } from "./images/content.ts";

/** The container runtime as pods need it. `Nerdctl` is the real one; a simulator has its own. */

/** What `nerdctl inspect` says of a container, as far as it is used here. */
export type Inspected = {
  Id: string;
  Image: string;
  LogPath?: string;
  State: {
    Status: string;
    Running: boolean;
    /** Stays after the exit. */
    Pid: number;
    ExitCode: number;
    Error?: string;
    StartedAt?: string;
    FinishedAt?: string;
  };
  Config: { Labels: Record<string, string> };
};

export type InspectedImage = {
  Id: string;
  RepoTags?: string[];
  RepoDigests?: string[];
  Size?: number;
  Config?: { User?: string; StopSignal?: string; Env?: string[] };
};

/** One of containerd's topics, with its payload parsed. */
export type RuntimeEvent = { topic: string; payload: Record<string, unknown> };

export type ContainerOptions = {
  image: string;
  name?: string;
  labels?: Record<string, string>;
  /** Options of `nerdctl run`, one argument each, before the image. */
  flags?: readonly string[];
  args?: readonly string[];
};

/** What a registry is asked with. */
export type RegistryCredential = {
  username: string;
  password: string;
  /** For the host of the node's own server alone, and over TLS. */
  isForServer?: true;
};

/** Something in a registry that is no image: its layers, and what is in them. */
export type Artifact = {
  layers: readonly { mediaType: string; digest: string; size: number; annotations?: Record<string, string> }[];
  read(digest: string): Buffer;
};

/** `patient` ones begin only while nobody else waits. */
export type Urgency = "now" | "patient";

/** Containers are meant by their full ID everywhere: two can bear one name. Every method may reject, having done its work or not. */
export interface Runtime {
  /** Creates and starts a container; resolves to what it is then. One that fails at its start stays, in state Created. */
  run(options: ContainerOptions, urgency?: Urgency): Promise<Inspected>;
  kill(id: string, signal: string): Promise<void>;
  /** Gives a running container other limits: flags of `nerdctl update`. */
  update(id: string, flags: readonly string[]): Promise<void>;
  /** Ends and removes containers, running or not; those that are not there count as removed. */
  remove(ids: readonly string[]): Promise<void>;
  /** Containers that are gone are left out. */
  inspect(ids: readonly string[]): Promise<Inspected[]>;
  /** Full IDs of all containers that bear a label, `NAME` or `NAME=VALUE`. */
  list(label: string): Promise<string[]>;
  inspectImage(image: string): Promise<InspectedImage | undefined>;
  listImages(): Promise<InspectedImage[]>;
  /** Removes an image with all its names. Rejects while a container is made from it. */
  removeImage(image: InspectedImage): Promise<void>;
  /** Gets an image from its registry, also when one of that name is here; its partial content stays after a failure. */
  pull(image: string, options?: { credential?: RegistryCredential; signal?: AbortSignal }): Promise<void>;
  /** How far a pull of the image has come; undefined when none is under way. */
  fetching?(image: string): Fetching | undefined;
  /** Rejects with words that end in `: not found` when the registry has none of that name. */
  fetch?(reference: string, credential?: RegistryCredential): Promise<Artifact>;
  /** Calls `onEvent` for each event until the stream ends (`onEnd`) or the returned function is called. */
  events(onEvent: (event: RuntimeEvent) => void, onEnd: () => void): () => void;
}
