/** Tokens by which machines join: made, listed without their secrets, and revoked. */
import type { Client } from "./client.ts";
import { partOf } from "./discovery.ts";

const TOKENS = "/skerry/tokens";

export type JoinToken = { id: string; expires: string | null; once: boolean };
type Made = JoinToken & { token: string; caHash?: string };

type Api = Pick<Client, "json">;

/** The line to type on the machine, which reaches the cluster at `server`; the token is shown this once. */
export async function joinLine(client: Api, server: string, seconds: number, once: boolean): Promise<string> {
  const body = { ttlSeconds: seconds, once };
  const { token, caHash } = await client.json<Made>(TOKENS, { method: "POST", body });
  return `skerry join ${server} --token ${token}${caHash ? ` --ca-hash ${caHash}` : ""}`;
}

export const joinTokens = async (client: Api): Promise<readonly JoinToken[]> =>
  (await client.json<{ items: JoinToken[] }>(TOKENS)).items;

export const revokeJoinToken = (client: Api, id: string): Promise<unknown> =>
  client.json(`${TOKENS}/${partOf(id)}`, { method: "DELETE" });
