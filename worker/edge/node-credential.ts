/**
 * Whether whoever dials a node's Relay is that node. The id of a stream is a secret between the two who meet there, but
 * nobody else need be able to wake Relays, or to make them.
 */
import { effects } from "../effects.ts";
import { CLUSTER_HEADER } from "../lib/internal-headers.ts";

/** How long a credential counts without its being asked about, ms: streams come in bursts. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;

const known = new Map<string, number>();

/** The refusal; undefined for the node itself. `node` as it stands in the URL. */
export async function refusedNode(
  { headers }: Request,
  clusterName: string,
  node: string,
  cluster: Fetcher,
): Promise<Response | undefined> {
  const authorization = headers.get("authorization") ?? "";
  const key = `${clusterName}/${node} ${authorization}`;
  const now = effects.now();
  if ((known.get(key) ?? 0) > now) return undefined;
  const asked = { authorization, [CLUSTER_HEADER]: clusterName };
  const answer = await cluster.fetch(new Request(`https://cluster/link/${node}`, { headers: asked }));
  // The node's own socket is refused for want of an upgrade alone.
  if (answer.status !== 426) return answer;
  if (known.size >= MAX_REMEMBERED) known.clear();
  known.set(key, now + REMEMBERED_MS);
  return undefined;
}
