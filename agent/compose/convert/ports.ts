/** `ports` and `expose`: what a pod listens on, and where it is reached from outside. */
import type { Value } from "../tree.ts";
import type { ContainerPort, ServicePort } from "./model.ts";

export type Published = {
  target: number;
  published?: number;
  protocol: Protocol;
  hostIp?: string;
  appProtocol?: string;
  name?: string;
};
export type Ports = {
  /** Named ones of the service within the cluster. */
  inside: ServicePort[];
  /** At the nodes' addresses, by the number that the file names. */
  outside: ServicePort[];
  /** At the nodes' addresses, by any number. */
  anywhere: ServicePort[];
  /** Of one address of the node that the pod is on. */
  onHost: ContainerPort[];
};
type Protocol = "TCP" | "UDP" | "SCTP";

const MAX_RANGE = 1000;
/** Left to the node's own. */
const KEPT = [22, 6443, 10250];

export function portsOf(service: Value): Ports {
  const isHost = service.get("network_mode")?.text() === "host";
  if (isHost) service.get("ports")?.note("with network_mode: host it listens at the node's addresses itself");
  const published = isHost ? [] : (service.get("ports")?.items() ?? []).flatMap(publishedPorts);
  const exposed = (service.get("expose")?.items() ?? []).flatMap((value) => exposedPorts(value));
  const onHost = published.filter(({ hostIp, published: port }) => hostIp !== undefined && port !== undefined);
  const free = published.filter((port) => !onHost.includes(port));
  return {
    inside: distinct([...published, ...exposed].map((port) => servicePort(port, port.target))),
    outside: distinct(free.flatMap((port) => (port.published === undefined ? [] : servicePort(port, port.published)))),
    anywhere: distinct(
      free.filter((port) => port.published === undefined).map((port) => servicePort(port, port.target)),
    ),
    onHost: onHost.map(({ target, published: hostPort, hostIp, protocol }) => ({
      containerPort: target,
      hostPort,
      protocol,
      ...(hostIp && { hostIP: hostIp }),
    })),
  };
}

function servicePort({ target, protocol, appProtocol }: Published, port: number): ServicePort {
  const name = `${protocol.toLowerCase()}-${port}`;
  return { name, port, targetPort: target, protocol, ...(appProtocol && { appProtocol }) };
}

function distinct(ports: readonly ServicePort[]): ServicePort[] {
  return [...new Map(ports.map((port) => [port.name, port])).values()];
}

function exposedPorts(value: Value): Published[] {
  const [range = "", protocol = "tcp"] = (value.text() ?? "").split("/");
  const way = protocolOf(protocol, value);
  return (rangeOf(range, value) ?? []).map((target) => ({ target, protocol: way }));
}

function publishedPorts(value: Value): Published[] {
  const found = value.isMap ? longPort(value) : shortPorts(value);
  for (const port of found)
    if (port.protocol === "TCP" && port.hostIp === undefined && KEPT.includes(port.published ?? 0))
      value.refuse(`port ${port.published} is left to the nodes themselves`, "publish another one");
  return found;
}

/** `[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]`, with ranges. */
function shortPorts(value: Value): Published[] {
  const text = value.text() ?? "";
  const [, address, published, target = "", protocol = "tcp"] =
    /^(?:(?:(\[[^\]]+\]|[^:]+):)?([^:]*):)?([^:/]+)(?:\/(\w+))?$/.exec(text) ?? [];
  const targets = rangeOf(target, value);
  const sources = published ? rangeOf(published, value) : undefined;
  if (!targets || (published && !sources)) return [];
  const common = { protocol: protocolOf(protocol, value), ...hostAddress(address, value) };
  return paired(value, targets, sources).map((pair) => ({ ...pair, ...common }));
}

function longPort(value: Value): Published[] {
  value.only(["name", "mode", "host_ip", "target", "published", "protocol", "app_protocol"]);
  const told = value.get("target");
  const targets = told && rangeOf(told.text() ?? "", told);
  if (!targets) return told ? [] : (value.invalid("needs a target") ?? []);
  const published = value.get("published");
  const sources = published && rangeOf(published.text() ?? "", published);
  const isHost = value.get("mode")?.text() === "host";
  const common = {
    protocol: protocolOf(value.get("protocol")?.text() ?? "tcp", value),
    appProtocol: value.get("app_protocol")?.text(),
    ...hostAddress(value.get("host_ip")?.text(), value),
    ...(isHost && { hostIp: value.get("host_ip")?.text() ?? "" }),
  };
  return paired(value, targets, sources).map((pair) => ({ ...pair, ...common }));
}

/** All addresses of a node are where a Service is reached; one alone is the pod's node's. */
function hostAddress(address: string | undefined, value: Value): { hostIp?: string } {
  const plain = address?.replace(/^\[|\]$/g, "");
  if (plain === undefined || ["", "0.0.0.0", "::", "*"].includes(plain)) return {};
  if (plain.includes(":"))
    return value.note(`${plain}: there is IPv4 only, and nothing is published there`) ?? { hostIp: "127.0.0.1" };
  return { hostIp: plain === "localhost" ? "127.0.0.1" : plain };
}

function paired(
  value: Value,
  targets: number[],
  sources: number[] | undefined,
): { target: number; published?: number }[] {
  if (!sources) return targets.map((target) => ({ target }));
  if (sources.length === targets.length) return targets.map((target, index) => ({ target, published: sources[index] }));
  if (targets.length !== 1) return value.invalid("the ranges are not of one length") ?? [];
  value.note(`of a range of ports the first is taken, ${sources[0]}`);
  return [{ target: targets[0] ?? 0, published: sources[0] }];
}

function rangeOf(text: string, value: Value): number[] | undefined {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text.trim()) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || from < 1 || to > 65_535 || to < from)
    return value.invalid(`${text || "nothing"} is no port, nor a range of them`);
  if (to - from >= MAX_RANGE) return value.refuse(`more than ${MAX_RANGE} ports`, "network_mode: host opens all");
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function protocolOf(text: string, value: Value): Protocol {
  const name = text.toUpperCase();
  if (name === "TCP" || name === "UDP" || name === "SCTP") return name;
  return value.invalid(`${text} is no protocol: tcp, udp or sctp`) ?? "TCP";
}
