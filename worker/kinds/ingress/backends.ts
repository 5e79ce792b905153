/** The endpoints behind a Service's port, as an Ingress reaches them. */
import type { CoreV1Service, DiscoveryV1EndpointSlice } from "../generated/types.ts";
import type { Target } from "./routes.ts";

/** `node` is where it runs, if it runs on one. */
export type Endpoint = { address: string; port: number; node?: string };

/** How a program is spoken to: https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol */
export type Protocol = "http" | "https" | "h2c";

/** `wakes`: without endpoints it is scaled to zero, and requests wait until it has some. */
export type Backend = { protocol: Protocol; endpoints: Endpoint[]; wakes?: true };

/** Why there is no backend, as events name it. */
export type Problem = { reason: "ServiceNotFound" | "ServiceNotSupported" | "ServicePortNotFound"; message: string };

type Service = Readonly<Pick<CoreV1Service, "metadata" | "spec">>;
type Slice = Readonly<Pick<DiscoveryV1EndpointSlice, "addressType" | "endpoints" | "ports">>;
type ServicePort = NonNullable<NonNullable<CoreV1Service["spec"]>["ports"]>[number];

/** The port of the Service that is meant, or why there is none. */
export function portOf(target: Target, service: Service | undefined): ServicePort | Problem {
  const { namespace, service: name, port } = target;
  if (!service) return { reason: "ServiceNotFound", message: `service "${namespace}/${name}" does not exist` };
  if (service.spec?.type === "ExternalName")
    return {
      reason: "ServiceNotSupported",
      message: `service "${namespace}/${name}" is an ExternalName: an Ingress leads to endpoints in the cluster`,
    };
  const found = service.spec?.ports?.find(
    (candidate) =>
      (candidate.protocol ?? "TCP") === "TCP" &&
      (typeof port === "number" ? candidate.port === port : candidate.name === port),
  );
  if (found) return found;
  const which = typeof port === "number" ? port : `"${port}"`;
  return { reason: "ServicePortNotFound", message: `service "${namespace}/${name}" has no TCP port ${which}` };
}

export const isProblem = (found: object): found is Problem => "reason" in found;

/**
 * Ready endpoints; where there is none, those that still serve while they end, as for Services. `slices` are the Service's.
 * https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-to-terminating-endpoints
 */
export function backendOf(port: ServicePort, slices: readonly Slice[]): Backend {
  const ready = new Map<string, Endpoint>();
  const draining = new Map<string, Endpoint>();
  const family = slices.some(({ addressType }) => addressType === "IPv4") ? "IPv4" : "IPv6";
  for (const { addressType, endpoints, ports } of slices) {
    if (addressType !== family) continue;
    const number = ports?.find(
      (own) => (own.name ?? "") === (port.name ?? "") && (own.protocol ?? "TCP") === "TCP",
    )?.port;
    if (!number) continue;
    for (const { addresses, conditions, nodeName } of endpoints ?? []) {
      const address = addresses?.[0];
      if (!address) continue;
      const endpoint = { address, port: number, ...(nodeName && { node: nodeName }) };
      if (conditions?.ready !== false) ready.set(`${address}:${number}`, endpoint);
      else if (conditions.serving && conditions.terminating) draining.set(`${address}:${number}`, endpoint);
    }
  }
  const chosen = ready.size > 0 ? ready : draining;
  return {
    protocol: protocolOf(port.appProtocol),
    endpoints: [...chosen.keys()].sort().map((key) => chosen.get(key) as Endpoint),
  };
}

function protocolOf(said = ""): Protocol {
  const name = said.toLowerCase();
  if (["kubernetes.io/h2c", "h2c", "grpc", "http2"].includes(name)) return "h2c";
  return ["https", "kubernetes.io/wss", "wss"].includes(name) ? "https" : "http";
}
