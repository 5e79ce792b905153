/**
 * The administrator's token of one cluster, derived from the deployment's secret: nothing is stored, each cluster has its
 * own, and a new secret revokes all.
 */
import { toBase64Url } from "./bytes.ts";

export async function administratorToken(secret: string, cluster: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(`administrator of ${cluster}`)));
  return toBase64Url(mac);
}
