import { portNameProblems, portNumberProblems } from "../../lib/names.ts";
import { duplicate, notSupported, required } from "../../lib/status.ts";
import type { CoreV1Container, CoreV1ContainerPort } from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";
import type { IntOrString } from "./int-or-percent.ts";

export const PROTOCOLS = ["SCTP", "TCP", "UDP"];

export function* validatePortNumberOrName(port: IntOrString | undefined, field: string): Problems {
  const value = port ?? 0;
  if (typeof value === "number") yield* invalidFor(field, value, portNumberProblems(value));
  else yield* invalidFor(field, value, portNameProblems(value));
}

export function* validateProtocol(protocol: string | undefined, field: string): Problems {
  if (!protocol) yield required(field);
  else if (!PROTOCOLS.includes(protocol)) yield notSupported(field, protocol, PROTOCOLS);
}

export function* validateContainerPorts(ports: readonly CoreV1ContainerPort[] | undefined, field: string): Problems {
  const names = new Set<string>();
  for (const [index, { name, containerPort, hostPort, protocol }] of (ports ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (name) {
      const problems = portNameProblems(name);
      if (problems.length) yield* invalidFor(`${at}.name`, name, problems);
      else if (names.has(name)) yield duplicate(`${at}.name`, name);
      else names.add(name);
    }
    if (!containerPort) yield required(`${at}.containerPort`);
    else yield* invalidFor(`${at}.containerPort`, containerPort, portNumberProblems(containerPort));
    if (hostPort) yield* invalidFor(`${at}.hostPort`, hostPort, portNumberProblems(hostPort));
    yield* validateProtocol(protocol, `${at}.protocol`);
  }
}

/** No port of the machine is asked for twice. */
export function* validateHostPorts(containers: readonly CoreV1Container[], field: string): Problems {
  const taken = new Set<string>();
  for (const [index, container] of containers.entries())
    for (const [portIndex, { hostPort, hostIP, protocol }] of (container.ports ?? []).entries()) {
      if (!hostPort) continue;
      const port = `${protocol}/${hostIP ?? ""}/${hostPort}`;
      if (taken.has(port)) yield duplicate(`${field}[${index}].ports[${portIndex}].hostPort`, port);
      taken.add(port);
    }
}
