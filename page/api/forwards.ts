/** A tab that shows what a pod serves, at a host that has nothing of this one. */
import { type Client, StatusError } from "./client.ts";
import type { Pod } from "./objects.ts";

type Port = { port: number; scheme: "http" | "https" };
/** Of the Worker's `edge/forward.ts`. */
export type Forward = { host: string; ticket: string };

/** Undefined where the deployment has no hosts for it. */
export async function forwardTo(
  client: Pick<Client, "json">,
  { metadata: { namespace, name, uid } }: Pod,
  { port, scheme }: Port,
): Promise<Forward | undefined> {
  const body = { namespace, pod: name, uid, port, scheme };
  try {
    return await client.json<Forward>("/skerry/forwards", { method: "POST", body });
  } catch (error) {
    if (error instanceof StatusError && error.code === 501) return undefined;
    throw error;
  }
}

/** The same by kubectl. */
export const forwardLine = ({ metadata: { namespace, name } }: Pod, { port }: Port): string =>
  `kubectl port-forward -n ${namespace} pod/${name} ${port < 1024 ? port + 8000 : port}:${port}`;
