import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { EnsuredImage } from "../images/images.ts";
import { HOSTNAME_VARIABLE } from "../node/oci-runtime.ts";
import { PAUSE_IMAGE } from "../node/pause-image.ts";
import type { ContainerOptions } from "../runtime.ts";
import type { ContainerMount } from "../volumes/volume.ts";
import { expand } from "./env.ts";
import { hasSeveralContainers } from "./fields.ts";
import type { Sandbox } from "./memory.ts";
import { mountFlags } from "./mounts.ts";
import type { NodeSecurity } from "./node-security.ts";
import { type ContainerKind, Label } from "./observe.ts";
import { lowestOomScore, type RuntimeLimits, resourceFlags } from "./resources.ts";
import { securityFlags } from "./security.ts";

/** Containers of one group have one shim, which saves 13 MB for each. */
const SHIM_GROUP = "io.containerd.runc.v2.group";
/** A file as the driver, unlike the driver `none`, costs no process. */
const NO_LOG = "file:///dev/null";
/** Read-only where the root is, as container runtimes have it. */
const RESOLV_CONF = "/etc/resolv.conf";
const PAUSE_OOM_SCORE = `${Math.max(-998, lowestOomScore)}`;

type Identity = { pod: CoreV1Pod; container: string; kind: ContainerKind; attempt: number; sandbox: string };

function labels({ pod, container, kind, attempt, sandbox }: Identity): Record<string, string> {
  return {
    [Label.podUid]: pod.metadata.uid ?? "",
    [Label.podName]: pod.metadata.name ?? "",
    [Label.podNamespace]: pod.metadata.namespace ?? "",
    [Label.kind]: kind,
    [Label.attempt]: `${attempt}`,
    ...(container ? { [Label.container]: container } : {}),
    ...(sandbox ? { [Label.sandbox]: sandbox } : {}),
  };
}

/** For people who look with nerdctl; nothing here reads it. `chance` keeps half-made leftovers from being in the way. */
const displayName = (pod: CoreV1Pod, container: string, chance: string) =>
  `${(pod.metadata.name ?? "").slice(0, 40)}_${container.slice(0, 24)}_${chance.slice(0, 8)}`;

/** The container that holds the process namespace of a pod whose containers share one. */
export function pauseOptions(
  pod: CoreV1Pod,
  sandbox: Sandbox,
  given: Pick<ContainerGiven, "shared" | "cgroupParent" | "chance">,
): ContainerOptions {
  const { shared, cgroupParent, chance } = given;
  return {
    image: PAUSE_IMAGE,
    name: displayName(pod, "pause", chance),
    labels: labels({ pod, container: "", kind: "pause", attempt: sandbox.number, sandbox: sandbox.id }),
    flags: [
      ...networkFlags(sandbox),
      ...shared,
      ...["--annotation", `${SHIM_GROUP}=${pod.metadata.uid}`],
      ...["--cgroup-parent", cgroupParent],
      ...["--oom-score-adj", PAUSE_OOM_SCORE, "--cpu-shares", "2", "--log-driver", NO_LOG],
      ...["--security-opt", "no-new-privileges"],
    ],
  };
}

const networkFlags = ({ network }: Sandbox) => ["--network", network ? `ns:${network}` : "host"];

export type ContainerGiven = {
  sandbox: Sandbox;
  hostname: string;
  /** What the container finds at fixed places, as `[place on this machine, path in the container]`. */
  files: readonly [string, string][];
  attempt: number;
  kind: ContainerKind;
  env: ReadonlyMap<string, string>;
  mounts: readonly ContainerMount[];
  image: EnsuredImage;
  imageID: string;
  machineBytes: number;
  runtimeLimits: RuntimeLimits;
  cgroupParent: string;
  /** What it shares with the pod's others, see `shareWith`. */
  shared: readonly string[];
  security: Pick<NodeSecurity, "settings" | "hasAppArmor" | "hasSELinux">;
  chance: string;
  /** The container whose process namespace it joins, for ephemeral containers. */
  target?: string;
};

/** Everything `nerdctl create` has to know of a container of a pod. Throws `ConfigError`. */
export function containerOptions(pod: CoreV1Pod, container: CoreV1Container, given: ContainerGiven): ContainerOptions {
  const { hostPID } = pod.spec;
  const readOnly = container.securityContext?.readOnlyRootFilesystem === true;
  const known = (name: string) => given.env.get(name);
  const [entry, ...command] = (container.command ?? []).map((text) => expand(text, known));
  const { pause } = given.sandbox;
  const processes = hostPID ? "host" : pause && `container:${pause.id}`;
  const joined = given.target ? `container:${given.target}` : processes;
  const taken = new Set(given.mounts.map(({ target }) => target));
  // What the pod itself mounts there goes first.
  const files = given.files.flatMap(([source, target]) =>
    taken.has(target) ? [] : [{ source, target, readOnly: readOnly && target === RESOLV_CONF }],
  );
  return {
    image: given.image.reference,
    name: displayName(pod, container.name, given.chance),
    labels: {
      ...labels({ ...given, sandbox: given.sandbox.id, pod, container: container.name }),
      [Label.image]: container.image ?? "",
      [Label.imageID]: given.imageID,
    },
    flags: [
      ...networkFlags(given.sandbox),
      ...["--hostname", given.hostname],
      ...(joined ? ["--pid", joined] : []),
      ...given.shared,
      ...["--cgroup-parent", given.cgroupParent],
      ...(hasSeveralContainers(pod) ? ["--annotation", `${SHIM_GROUP}=${pod.metadata.uid}`] : []),
      ...resourceFlags(pod, container, given.machineBytes, given.runtimeLimits),
      ...securityFlags(pod, container, given),
      // Without, the container gets its host name there.
      ...[...given.env].flatMap(([name, value]) => [
        "-e",
        `${name === "HOSTNAME" ? HOSTNAME_VARIABLE : name}=${value}`,
      ]),
      ...(container.workingDir ? ["--workdir", container.workingDir] : []),
      ...mountFlags([...given.mounts, ...files]),
      ...(entry === undefined ? [] : ["--entrypoint", entry]),
    ],
    args: [...command, ...(container.args ?? []).map((text) => expand(text, known))],
  };
}
