/**
 * Who asks, in the headers that extension servers believe when they come with the front proxy's certificate.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy
 */
import { headerBytes } from "../../lib/bytes.ts";
import type { User } from "../request.ts";

/** By whom discovery is asked for. */
export const AGGREGATOR: User = { name: "system:kube-aggregator", groups: ["system:masters"] };

const encoder = new TextEncoder();
/** What may stand in a header's name (RFC 9110 §5.6.2), but `%`, which escapes the rest. */
const PLAIN = /[!#$&'*+\-.^_`|~0-9A-Za-z]/;

const escaped = (byte: number): string => {
  const character = String.fromCharCode(byte);
  return PLAIN.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
};

const headerKey = (key: string) => Array.from(encoder.encode(key), escaped).join("");

export function remoteHeaders({ name, uid, groups, extra = {} }: User): [name: string, value: string][] {
  const headers: [string, string][] = [["X-Remote-User", name]];
  if (uid) headers.push(["X-Remote-Uid", uid]);
  for (const group of groups) headers.push(["X-Remote-Group", group]);
  for (const [key, values] of Object.entries(extra))
    for (const value of values) headers.push([`X-Remote-Extra-${headerKey(key)}`, value]);
  return headers.map(([key, value]) => [key, headerBytes(value)]);
}
