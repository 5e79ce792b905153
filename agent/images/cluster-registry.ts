/** The cluster's own registry, as a node reaches it: at the server that it joined, by what it is known by there. */
import { hasControlPlane } from "../local/home.ts";
import { type NodeIdentity, readIdentity } from "../local/join.ts";
import { mainAddress } from "../node/facts.ts";
import type { RegistryCredential } from "../runtime.ts";

export type ClusterRegistry = {
  /** All that is known to be the server, as images name it: with the port where it is not the usual one. */
  hosts: readonly string[];
  cluster: string;
  /** PEM; absent where the system trusts the server's certificate. */
  ca?: string;
  token: string;
};

/** As it is now, since a node that joins anew is known by another token. Undefined where the server has no TLS. */
export function clusterRegistry(home: string): ClusterRegistry | undefined {
  const identity = readIdentity(home);
  if (!identity || new URL(identity.server).protocol !== "https:") return undefined;
  const { server, ca, token } = identity;
  return { hosts: hostsOf(home, identity), cluster: new URL(server).pathname.split("/")[2] ?? "default", ca, token };
}

/** A node on the server's own machine joined it by loopback; images mean it by the address that others join it by, too. */
function hostsOf(home: string, { server, address = mainAddress() }: NodeIdentity): string[] {
  const { host, port } = new URL(server);
  const isHere = host === `127.0.0.1:${port}` && hasControlPlane(home);
  return isHere ? [host, `localhost:${port}`, ...(address ? [`${address}:${port}`] : [])] : [host];
}

/** By which a node pulls from a repository, as `HOST/team/app`. */
export function identityFor(registry: ClusterRegistry | undefined, repository: string): RegistryCredential | undefined {
  const [, host = "", cluster = "default"] = /^([^/]+)\/(?:clusters\/([^/]+)\/)?/.exec(repository) ?? [];
  if (!registry?.hosts.includes(host) || registry.cluster !== cluster) return undefined;
  return { username: "node", password: registry.token, isForServer: true };
}
