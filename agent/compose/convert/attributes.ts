/** Which attributes there are, and what is said of those that Kubernetes has nothing for. */
import type { Value } from "../tree.ts";

/** Of a service, converted somewhere in this folder. */
const CONVERTED =
  `annotations cap_add cap_drop command configs container_name cpus depends_on deploy dns dns_opt dns_search
entrypoint env_file environment expose extra_hosts group_add healthcheck hostname image init ipc label_file labels links
mem_limit mem_reservation network_mode networks pid platform ports post_start pre_stop privileged profiles pull_policy
read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period sysctls tmpfs tty
user volumes volumes_from working_dir`.split(/\s+/);

type Word = { says: string; next?: string; refused?: true };

const noCgroup: Word = {
  says: "Kubernetes has no such limit",
  next: "what there is: cpus, mem_limit, deploy.resources",
};
const nodeOnly = (what: string): Word => ({
  says: `${what} are a node's own in Kubernetes, and not set`,
  next: "set them there",
});

/** Of a service: told, and not converted. */
const TOLD: Record<string, Word> = {
  attach: { says: "means nothing here", next: "skerry compose logs shows what all print" },
  blkio_config: noCgroup,
  cgroup: { says: "pods have control groups of their own" },
  cgroup_parent: { says: "pods have control groups of their own" },
  cpu_count: noCgroup,
  cpu_percent: noCgroup,
  cpu_period: noCgroup,
  cpu_quota: noCgroup,
  cpu_rt_period: noCgroup,
  cpu_rt_runtime: noCgroup,
  cpu_shares: noCgroup,
  cpuset: noCgroup,
  credential_spec: { refused: true, says: "is for Windows" },
  develop: { says: "nothing is watched or built here" },
  device_cgroup_rules: {
    refused: true,
    says: "Kubernetes has no such rules",
    next: "privileged: true gives all devices",
  },
  devices: {
    refused: true,
    says: "a pod gets a device by a device plugin of its node",
    next: "or take privileged: true and a volume such as /dev/dri:/dev/dri",
  },
  domainname: { refused: true, says: "a pod's domain is the cluster's", next: "leave it out" },
  external_links: { refused: true, says: "there is no Docker here", next: "use the other's name NAME.NAMESPACE" },
  gpus: {
    refused: true,
    says: "a GPU comes by a device plugin",
    next: "with that on the node, take deploy.resources.reservations.devices with driver: nvidia and a count",
  },
  isolation: { refused: true, says: "is for Windows" },
  logging: { says: "ignored: nodes keep what is printed", next: "skerry compose logs, kubectl logs" },
  mac_address: { says: "a pod's addresses are the cluster's to give" },
  mem_swappiness: noCgroup,
  memswap_limit: noCgroup,
  models: { refused: true, says: "there is nothing here that runs models", next: "run one as a service" },
  oom_kill_disable: noCgroup,
  oom_score_adj: { says: "Kubernetes sets it by requests and limits" },
  pids_limit: { says: "is the node's to set in Kubernetes", next: "skerry up --pod-max-pids" },
  provider: { refused: true, says: "there is nothing here that runs providers", next: "run it as a service" },
  pull_refresh_after: { says: "images are pulled when a pod starts", next: "pull_policy: always" },
  stop_signal: {
    says: "a container is stopped by its image's signal",
    next: "STOPSIGNAL in the image, or pre_stop with a command",
  },
  storage_opt: { says: "Kubernetes has no such limit", next: "a tmpfs with a size has one" },
  ulimits: nodeOnly("ulimits"),
  use_api_socket: { refused: true, says: "there is no Docker here" },
  userns_mode: { says: "pods share the node's user namespace" },
  uts: { refused: true, says: "pods have hostnames of their own", next: "leave it out" },
};

const SERVICE = [...CONVERTED, ...Object.keys(TOLD), "build", "extends"];
const DEPLOY =
  "mode endpoint_mode replicas labels rollback_config update_config resources restart_policy placement".split(" ");
const INSIDE: Record<string, readonly string[]> = {
  healthcheck: ["disable", "interval", "retries", "test", "timeout", "start_period", "start_interval"],
  deploy: DEPLOY,
  "deploy.resources": ["limits", "reservations"],
  "deploy.resources.limits": ["cpus", "memory", "pids"],
  "deploy.resources.reservations": ["cpus", "memory", "generic_resources", "devices"],
  "deploy.restart_policy": ["condition", "delay", "max_attempts", "window"],
  "deploy.update_config": ["parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"],
  "deploy.placement": ["constraints", "preferences", "max_replicas_per_node"],
};

function tell(value: Value | undefined, { says, next, refused }: Word): void {
  if (refused) value?.refuse(says, next);
  else value?.note(says, next);
}

/** Tells of all attributes of a service that have no place in what is made of it. */
export function checkAttributes(service: Value): void {
  service.only(SERVICE);
  for (const [name, word] of Object.entries(TOLD)) tell(service.get(name), word);
  for (const [path, names] of Object.entries(INSIDE)) at(service, path)?.only(names);
  for (const path of ["deploy.rollback_config", "deploy.update_config.failure_action", "deploy.update_config.monitor"])
    tell(at(service, path), { says: "a rollout that fails stops, and what ran goes on", next: "kubectl rollout undo" });
  tell(at(service, "deploy.update_config.max_failure_ratio"), { says: "one pod that fails stops a rollout" });
  tell(at(service, "deploy.endpoint_mode"), { says: "a service's name has the addresses of all its pods" });
  tell(at(service, "deploy.resources.limits.pids"), TOLD.pids_limit as Word);
  for (const path of ["deploy.restart_policy.delay", "deploy.restart_policy.window"])
    tell(at(service, path), { says: "Kubernetes waits 10 s, then ever longer, before it restarts" });
  tell(at(service, "deploy.resources.reservations.generic_resources"), TOLD.devices as Word);
}

export function at(value: Value, path: string): Value | undefined {
  return path.split(".").reduce<Value | undefined>((inner, name) => inner?.get(name), value);
}

/** Of networks, all of which are the cluster's one. */
export function checkNetworks(networks: ReadonlyMap<string, Value>): void {
  for (const network of networks.values()) {
    if (network.isNull) continue;
    network.only([
      "name",
      "driver",
      "driver_opts",
      "ipam",
      "external",
      "internal",
      "enable_ipv4",
      "enable_ipv6",
      "attachable",
      "labels",
    ]);
    if (network.get("internal")?.flag())
      network.get("internal")?.note("pods of it reach the outside all the same", "a NetworkPolicy keeps them from it");
    network.get("ipam")?.note("a pod's addresses are the cluster's to give");
    const driver = network.get("driver");
    if (driver && !["bridge", "overlay", "default"].includes(driver.text() ?? ""))
      driver.refuse("there is one network, the cluster's", "leave it out");
  }
}
