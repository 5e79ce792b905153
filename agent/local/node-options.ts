/** What `skerry up` and `skerry join` take of a node's settings: the kubelet's own flags. */
import { type Command, InvalidArgumentError } from "commander";
import type { CoreV1Taint } from "../../worker/kinds/generated/types.ts";

type Amounts = Record<string, string>;

export type NodeOptions = {
  config?: string;
  maxPods?: number;
  podManifestPath?: string;
  podMaxPids?: number;
  kubeReserved?: Amounts;
  systemReserved?: Amounts;
  enforceNodeAllocatable?: string[];
  evictionHard?: Amounts;
  evictionSoft?: Amounts;
  evictionSoftGracePeriod?: Amounts;
  evictionMinimumReclaim?: Amounts;
  evictionPressureTransitionPeriod?: string;
  evictionMaxPodGracePeriod?: number;
  imageGcHighThreshold?: number;
  imageGcLowThreshold?: number;
  nodeLabels?: Amounts;
  registerWithTaints?: CoreV1Taint[];
  seccompDefault?: boolean;
  allowedUnsafeSysctls?: string[];
  runtimeHandlers?: Amounts;
  serializeImagePulls?: boolean;
  maxParallelImagePulls?: number;
  containerLogMaxSize?: string;
  containerLogMaxFiles?: number;
  imagePullProgressDeadline?: string;
  imagePolicy?: string;
  ingressHttpPort?: number;
  ingressHttpsPort?: number;
  stun?: string[];
  imageCredentialProviderConfig?: string;
  imageCredentialProviderBinDir?: string;
};

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/ */
export function withNodeOptions(command: Command): Command {
  return command
    .option("--config <path>", "a KubeletConfiguration; flags go before what it says")
    .option("--max-pods <number>", "pods that this node takes (default 110)", whole)
    .option("--pod-manifest-path <folder>", "runs the pods that its files say, also without the cluster")
    .option("--pod-max-pids <number>", "processes that a pod may have (default without limit)", whole)
    .option("--kube-reserved <name=amount,...>", "kept from pods: cpu, memory, ephemeral-storage, pid", pairs("="))
    .option("--system-reserved <name=amount,...>", "kept from pods for the system", pairs("="))
    .option("--enforce-node-allocatable <list>", "pods, or none (default pods)", list)
    .option("--eviction-hard <signal<amount,...>", "when pods are evicted, e.g. memory.available<100Mi", pairs("<"))
    .option("--eviction-soft <signal<amount,...>", "when they are after a while", pairs("<"))
    .option("--eviction-soft-grace-period <signal=duration,...>", "after how long", pairs("="))
    .option("--eviction-minimum-reclaim <signal=amount,...>", "how much more then has to be free", pairs("="))
    .option("--eviction-pressure-transition-period <duration>", "how long pressure is told of after it (default 5m)")
    .option("--eviction-max-pod-grace-period <seconds>", "what pods get to end at a soft threshold", whole)
    .option("--image-gc-high-threshold <percent>", "disk use at which unused images go (default 85)", whole)
    .option("--image-gc-low-threshold <percent>", "disk use down to which they go (default 80)", whole)
    .option("--container-log-max-size <quantity>", "at which a container's log turns over (default 10Mi)")
    .option("--container-log-max-files <number>", "how many files of it are kept (default 5)", whole)
    .option("--node-labels <name=value,...>", "labels of the node", pairs("="))
    .option("--register-with-taints <key=value:effect,...>", "taints of the node when it is new", taints)
    .option("--seccomp-default", "RuntimeDefault for pods that ask for no seccomp profile")
    .option("--allowed-unsafe-sysctls <list>", "sysctls that pods may set beside the safe ones, e.g. kernel.msg*", list)
    .option(
      "--runtime-handlers <name=runtime,...>",
      "what RuntimeClasses may name: a program that works as runc does, or a shim of containerd's (io.containerd.…)",
      pairs("="),
    )
    .option("--serialize-image-pulls <true|false>", "one after the other (default true)", truth)
    .option("--max-parallel-image-pulls <number>", "so many at once, instead of one", whole)
    .option("--image-pull-progress-deadline <duration>", "pulls to which nothing comes end then (default 5m)")
    .option(
      "--image-credential-provider-config <path>",
      "programs that know registries' credentials, as clouds have them",
    )
    .option("--image-credential-provider-bin-dir <path>", "where those programs lie")
    .option("--image-policy <path>", "ClusterImagePolicies: images that have to be signed, and by which keys")
    .option(
      "--ingress-http-port <port>",
      "where Ingresses are served while there are any, 0 for nowhere (default 80, or any where that is taken)",
      port,
    )
    .option("--ingress-https-port <port>", "the same over TLS (default 443, or any where that is taken)", port)
    .option(
      "--stun <host:port,...>",
      "servers that say what other networks see this node as, or none (default stun.cloudflare.com:3478)",
      list,
    );
}

function truth(text: string): boolean {
  if (text !== "true" && text !== "false") throw new InvalidArgumentError("true or false is needed");
  return text === "true";
}

function whole(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError("a whole number is needed");
  return Number(text);
}

function port(text: string): number {
  const value = whole(text);
  if (value < 0 || value > 65_535) throw new InvalidArgumentError("a port is 0 to 65535");
  return value;
}

const list = (text: string) => text.split(",").filter((word) => word && word !== "none");

const pairs =
  (separator: string) =>
  (text: string, before: Amounts = {}): Amounts => ({
    ...before,
    ...Object.fromEntries(
      text
        .split(",")
        .filter(Boolean)
        .map((pair) => {
          const at = pair.indexOf(separator);
          if (at < 1) throw new InvalidArgumentError(`${pair} is no NAME${separator}VALUE`);
          return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const;
        }),
    ),
  });

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

const taints = (text: string): CoreV1Taint[] =>
  text
    .split(",")
    .filter(Boolean)
    .map((part) => {
      const [, key, value, effect] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(part) ?? [];
      if (!key || !effect || !EFFECTS.includes(effect))
        throw new InvalidArgumentError(`${part} is no KEY=VALUE:EFFECT`);
      return { key, effect, ...(value ? { value } : {}) };
    });
