import type { Plan } from "../../compose/convert/project.ts";
import type { ProjectApi, Stored } from "./api.ts";

type Addressed = { spec: { ports: { port: number; protocol: string; nodePort?: number }[] } };
type Balanced = { loadBalancer?: { ingress?: { ip?: string }[] } };

/** Where published ports are reached. */
export async function addresses(api: ProjectApi, plan: Plan): Promise<string[]> {
  const lines: string[] = [];
  for (const { name, objects } of plan.services)
    for (const object of objects) {
      const type = (object.spec as { type?: string } | undefined)?.type;
      if (object.kind !== "Service" || (type !== "LoadBalancer" && type !== "NodePort")) continue;
      const stored = await api.get(object);
      if (!stored) continue;
      const { ports } = (stored as Stored & Addressed).spec;
      const ips = ((stored.status as Balanced | undefined)?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? "");
      const at = type === "NodePort" ? ["any node"] : ips;
      const numbers = ports.map(
        ({ port, nodePort, protocol }) => `${type === "NodePort" ? nodePort : port}/${protocol.toLowerCase()}`,
      );
      lines.push(
        at.length > 0
          ? `${name} is published at ${at.join(", ")}: ${numbers.join(", ")}`
          : `${name} has no address yet for ${numbers.join(", ")}: kubectl -n ${plan.namespace} describe service ${object.metadata.name}`,
      );
    }
  return lines;
}
