/** What a service's pods are. */
import type { Value } from "../tree.ts";
import { environmentOf, labelValues } from "./environment.ts";
import { filesOf } from "./files.ts";
import { probesOf } from "./health.ts";
import type { Container, Context, KubernetesObject, PodSpec } from "./model.ts";
import { ownLabel, selectorOf } from "./model.ts";
import { mountsOf } from "./mounts.ts";
import { placementOf } from "./placement.ts";
import type { Ports } from "./ports.ts";
import { resourcesOf } from "./resources.ts";
import { podSecurityOf, securityOf } from "./security.ts";
import { digest, isAnnotation, literal, objectName, tidy, unlessEmpty, wholeSeconds, words } from "./values.ts";

export type Pod = {
  spec: PodSpec;
  annotations: Record<string, string>;
  objects: KubernetesObject[];
  isWriter: boolean;
};

const PULL: Record<string, string> = {
  always: "Always",
  never: "Never",
  missing: "IfNotPresent",
  if_not_present: "IfNotPresent",
};

export function podOf(context: Context, ports: Ports, shared: readonly KubernetesObject[]): Pod {
  const { value, name, project } = context;
  const mounts = mountsOf(context);
  const files = filesOf(context, shared);
  const environment = environmentOf(context);
  const volumes = [...mounts.volumes, ...files.volumes];
  const container: Container = {
    name,
    image: imageOf(value),
    imagePullPolicy: pullPolicy(value),
    ...commandOf(value),
    workingDir: value.get("working_dir")?.text(),
    env: environment.env,
    envFrom: environment.envFrom,
    ports: containerPorts(ports),
    resources: resourcesOf(value),
    ...probesOf(value),
    lifecycle: lifecycleOf(value),
    securityContext: securityOf(value),
    volumeMounts: unlessNone([...mounts.mounts, ...files.mounts]),
    stdin: value.get("stdin_open")?.flag() || undefined,
    tty: value.get("tty")?.flag() || undefined,
  };
  const spec: PodSpec = {
    ...networkOf(value),
    ...sharingOf(value),
    hostname: hostnameOf(value),
    hostAliases: hostAliasesOf(value),
    runtimeClassName: value.get("runtime")?.text(),
    terminationGracePeriodSeconds: wholeSeconds(value.get("stop_grace_period")),
    // Neither is there in Docker: variables of services whose names are its neighbours', and a way into the API.
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    securityContext: podSecurityOf(value, mounts.isWriter),
    ...placementOf(value, selectorOf(project.name, name)),
    containers: [container],
    volumes: unlessNone(volumes),
  };
  const contents = [...mounts.contents, ...files.contents, ...environment.contents];
  return {
    spec: tidy(spec),
    annotations: {
      ...annotationsOf(context),
      ...(contents.length > 0 && { "skerry.dev/contents": digest(contents) }),
    },
    objects: [...environment.objects, ...mounts.objects],
    isWriter: mounts.isWriter,
  };
}

const unlessNone = <T>(list: T[]): T[] | undefined => (list.length > 0 ? list : undefined);

function imageOf(service: Value): string {
  const image = service.get("image")?.text();
  const build = service.get("build");
  if (image) build?.note(`nothing is built here: ${image} is pulled, or taken from the node`);
  else if (service.get("provider")) return "";
  else if (build)
    build.refuse(
      "nothing is built here",
      "build it elsewhere, push it to a registry that the nodes reach, and name it by image",
    );
  else service.invalid("has no image");
  return image ?? "";
}

function pullPolicy(service: Value): string | undefined {
  const policy = service.get("pull_policy");
  const text = policy?.text();
  if (policy === undefined || text === undefined) return undefined;
  if (PULL[text]) return PULL[text];
  if (text === "build") return policy.refuse("nothing is built here", "leave it out");
  return policy.note(`${text} is not kept track of: the image is asked for whenever a pod starts`) ?? "Always";
}

/** What is not said is the image's. An entrypoint of nothing leaves the command alone. */
function commandOf(service: Value): Pick<Container, "command" | "args"> {
  const entrypoint = service.get("entrypoint");
  const command = service.get("command");
  const args = command && words(command).map(literal);
  if (!entrypoint) return args && args.length > 0 ? { args } : {};
  const program = words(entrypoint).map(literal);
  if (program.length > 0) return { command: program, ...(args && args.length > 0 && { args }) };
  if (!args?.length)
    return entrypoint.refuse("the image's cannot be taken away without a command", "give a command") ?? {};
  return { command: args };
}

function containerPorts(ports: Ports): Container["ports"] {
  const onHost = ports.onHost;
  const inside = ports.inside
    .filter(
      ({ port, protocol }) => !onHost.some((other) => other.containerPort === port && other.protocol === protocol),
    )
    .map(({ port, protocol }) => ({ containerPort: port, protocol }));
  return unlessNone([...onHost, ...inside]);
}

function lifecycleOf(service: Value): Container["lifecycle"] {
  const hook = (name: string) => {
    const told = service.get(name);
    const [first, ...more] = told?.items() ?? [];
    if (!told || !first) return undefined;
    const command = first.get("command");
    if (more.length > 0 || first.get("user") || first.get("privileged") || !command)
      return told.refuse(
        "Kubernetes runs one command, as the container's user",
        "make it one, without user and privileged",
      );
    for (const rest of ["working_dir", "environment"])
      first.get(rest)?.refuse("is the container's", "say it in the command");
    return { exec: { command: words(command) } };
  };
  return unlessEmpty({ postStart: hook("post_start"), preStop: hook("pre_stop") });
}

function networkOf(service: Value): Pick<PodSpec, "hostNetwork" | "dnsPolicy" | "dnsConfig"> {
  const mode = service.get("network_mode");
  const text = mode?.text() ?? "bridge";
  const isHost = text === "host";
  if (text === "none") mode?.refuse("every pod has a network", "leave it out, and keep others away by a NetworkPolicy");
  else if (/^(service|container):/.test(text))
    mode?.refuse("pods do not share a network", "leave it out: the other is reached by its name, not by localhost");
  else if (!isHost && text !== "bridge" && text !== "default")
    mode?.refuse(`there is no network ${text}`, "leave it out");
  const dns = service.get("dns");
  dns?.note("is asked beside the cluster's, for names that this does not know");
  const options = service
    .get("dns_opt")
    ?.texts()
    .map((option) => {
      const [name = "", setting] = option.split(":");
      return setting === undefined ? { name } : { name, value: setting };
    });
  const config = { nameservers: dns?.texts(), searches: service.get("dns_search")?.texts(), options };
  return {
    ...(isHost && { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }),
    dnsConfig: unlessEmpty(config),
  };
}

/** pid, ipc and init: what a container shares with others. */
function sharingOf(service: Value): Pick<PodSpec, "hostPID" | "hostIPC" | "shareProcessNamespace"> {
  const pid = service.get("pid");
  const ipc = service.get("ipc");
  const isHost = (value: Value | undefined) => value?.text() === "host" || undefined;
  if (pid && !isHost(pid)) pid.refuse("pods do not share processes", "host, or leave it out");
  if (ipc && !isHost(ipc) && !["none", "private", "shareable"].includes(ipc.text() ?? ""))
    ipc.refuse("pods do not share memory", "host, or leave it out");
  return {
    hostPID: isHost(pid),
    hostIPC: isHost(ipc),
    // The pod's own first process then reaps what others leave.
    shareProcessNamespace: (!pid && service.get("init")?.flag()) || undefined,
  };
}

function hostnameOf(service: Value): string | undefined {
  const hostname = service.get("hostname");
  const text = hostname?.text();
  if (text === undefined || hostname === undefined) return undefined;
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  const first = objectName(text.split(".")[0] ?? "");
  return hostname.note(`a pod's hostname has neither dots nor underscores nor capitals: it is ${first}`) ?? first;
}

function hostAliasesOf(service: Value): PodSpec["hostAliases"] {
  const aliases = (service.get("extra_hosts")?.entries() ?? []).flatMap(([name, value]) =>
    value.texts().flatMap((address) => {
      const ip = address.replace(/^\[|\]$/g, "");
      if (ip === "host-gateway")
        return (
          value.refuse("which node the pod will be on is not known", "write the machine's address, or its name") ?? []
        );
      return [{ ip, hostnames: [name] }];
    }),
  );
  return unlessNone(aliases);
}

/** Labels of Docker take any text, as annotations do. */
function annotationsOf(context: Context): Record<string, string> {
  const { value } = context;
  const told = value
    .get("annotations")
    ?.entries()
    .map(([name, item]): [string, string] => [name, item.text() ?? ""]);
  const all = [...Object.entries(labelValues(context)), ...(told ?? [])];
  return Object.fromEntries(
    all.filter(([name]) => {
      if (ownLabel(value, name.replace(/^skerry\.dev\//, "")) && name.startsWith("skerry.dev/")) return false;
      const isName = isAnnotation(name);
      if (!isName) value.get("labels")?.get(name)?.note("is no name for an annotation, and left out");
      return isName;
    }),
  );
}
