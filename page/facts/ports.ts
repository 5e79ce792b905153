/** Ports of pods that a browser may be shown. */
import type { ContainerPort, Pod } from "../api/objects.ts";

export type Shown = { container: string; port: number; name: string; scheme: "http" | "https" };

/** What listens there by custom speaks no HTTP: SSH, mail, DNS, databases, queues. */
const OTHERS: ReadonlySet<number> = new Set([22, 25, 53, 1883, 3306, 5432, 5672, 6379, 9092, 11211, 27017]);
const OTHER_NAME = /^(?:grpc|tcp|udp|dns|ssh|smtp|mysql|postgres(?:ql)?|redis|mongo(?:db)?|amqp|mqtt|kafka)(?:-|$)/;
const TLS: ReadonlySet<number> = new Set([443, 8443]);

const mayBeHttp = ({ name = "", containerPort, protocol = "TCP" }: ContainerPort) =>
  protocol === "TCP" && !OTHERS.has(containerPort) && !OTHER_NAME.test(name);

const schemeOf = ({ name = "", containerPort }: ContainerPort) =>
  name.startsWith("https") || (TLS.has(containerPort) && !name.startsWith("http")) ? "https" : "http";

/** The ports that the pod says it has, and that may speak HTTP. */
export const shownPorts = ({ spec }: Pod): Shown[] =>
  spec.containers.flatMap(({ name: container, ports = [] }) =>
    ports.filter(mayBeHttp).map((port) => {
      return { container, port: port.containerPort, name: port.name ?? "", scheme: schemeOf(port) };
    }),
  );
