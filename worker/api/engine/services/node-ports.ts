import { needsHealthCheckNodePort, needsNodePorts } from "../../../kinds/core/service.ts";
import type { CoreV1ServiceSpec } from "../../../kinds/generated/types.ts";
import { type FieldError, internalError, invalidValue } from "../../../lib/status.ts";
import type { Operation } from "../operation.ts";
import { nodePortRef } from "../refs.ts";
import { isHeld, pickFree } from "./pick.ts";

/** Checks the ports that were asked for, and takes free ones for the rest. */
export function* allocateNodePorts(
  operation: Operation,
  spec: CoreV1ServiceSpec,
  before: CoreV1ServiceSpec | undefined,
): Iterable<FieldError> {
  const own = new Set((before?.ports ?? []).map(({ nodePort }) => nodePort));
  const ports = needsNodePorts(spec) ? (spec.ports ?? []) : [];
  const asked = new Set<number>();
  for (const [index, { nodePort }] of ports.entries()) {
    if (!nodePort) continue;
    asked.add(nodePort);
    const why = own.has(nodePort) ? undefined : refused(operation, nodePort);
    if (why) yield invalidValue(`spec.ports[${index}].nodePort`, nodePort, why);
  }
  // One number for TCP and UDP of the same port: that is how DNS is served.
  const byPort = new Map<number, { nodePort: number; protocols: Set<string> }>();
  for (const port of ports) {
    const protocol = port.protocol ?? "TCP";
    const shared = byPort.get(port.port ?? 0);
    if (!port.nodePort)
      port.nodePort = shared && !shared.protocols.has(protocol) ? shared.nodePort : take(operation, asked);
    const { protocols } = shared ?? { protocols: new Set<string>() };
    byPort.set(port.port ?? 0, { nodePort: port.nodePort, protocols: protocols.add(protocol) });
  }
  if (needsHealthCheckNodePort(spec)) yield* allocateHealthCheck(operation, spec, before, asked);
}

function* allocateHealthCheck(
  operation: Operation,
  spec: CoreV1ServiceSpec,
  before: CoreV1ServiceSpec | undefined,
  asked: Set<number>,
): Iterable<FieldError> {
  const port = spec.healthCheckNodePort;
  if (!port) spec.healthCheckNodePort = take(operation, asked);
  else if (port !== before?.healthCheckNodePort) {
    const why = refused(operation, port);
    if (why)
      yield invalidValue(
        "spec.healthCheckNodePort",
        port,
        `failed to allocate requested HealthCheck NodePort ${port}: ${why}`,
      );
  }
}

function refused(operation: Operation, port: number): string | undefined {
  const { first, last } = operation.core.config.nodePorts;
  if (port < first || port > last)
    return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
  return isHeld(operation, nodePortRef(port)) ? "provided port is already allocated" : undefined;
}

const MIN_LOWER_BAND = 16;
const MAX_LOWER_BAND = 128;

/** A free port, noted in `asked` so that it is not taken twice. */
function take(operation: Operation, asked: Set<number>): number {
  const { first, last } = operation.core.config.nodePorts;
  const size = last - first + 1;
  const lowerBand = Math.min(Math.max(MIN_LOWER_BAND, Math.floor(size / 32)), MAX_LOWER_BAND, size);
  const isFree = (index: number) => !asked.has(first + index) && !isHeld(operation, nodePortRef(first + index));
  const index = pickFree(operation, { size, lowerBand }, isFree);
  if (index === undefined) throw internalError("failed to allocate a nodePort: range is full");
  asked.add(first + index);
  return first + index;
}
