import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { RegistryCredential } from "../runtime.ts";
import type { ClusterRegistry } from "./cluster-registry.ts";
import type { Mirror, Mirrors } from "./peers/mirror.ts";
import { parseReference } from "./reference.ts";

/** Where nerdctl finds what it needs for one registry. */
export type RegistryAccess = {
  /** A DOCKER_CONFIG with the credential, or with none. */
  config: string;
  /** A folder of `HOST/hosts.toml`, of this host at most. */
  hosts: string;
  /** When this was made, by the clock of files (ms since the epoch). */
  since: number;
};

const DOCKER_HUB = "docker.io";
/** What nerdctl and Docker take Docker Hub for. */
const HUB_INDEX = "index.docker.io";
const HUB_KEY = "https://index.docker.io/v1/";

/**
 * Calls `body` with a folder under `parent` that holds the credential for that time alone. `hostsFolders` are laid out as
 * containerd's `certs.d`. https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export async function withRegistryAccess<T>(
  image: string,
  given: {
    parent: string;
    credential?: RegistryCredential;
    hostsFolders: readonly string[];
    clusterRegistry?: ClusterRegistry;
    /** Where else parts of the cluster's own images may be. */
    peers?: Mirrors;
  },
  body: (access: RegistryAccess) => Promise<T>,
): Promise<T> {
  const { parent, credential, hostsFolders } = given;
  const { domain } = parseReference(image);
  const own = given.clusterRegistry?.hosts.includes(domain) ? given.clusterRegistry : undefined;
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(parent, "pull-"));
  let mirror: Mirror | undefined;
  try {
    // What is said of all others is not meant for the cluster's own.
    const folders = [...namesOf(domain), ...(own ? [] : ["_default"])];
    const described = hostsFolders.map((hosts) => folderOf(hosts, folders)).find((found) => found !== undefined);
    const config = join(folder, "config.json");
    writeFileSync(config, JSON.stringify({ auths: authsOf(domain, { credential, own, described }) }), { mode: 0o600 });
    const hosts = join(folder, "hosts");
    mkdirSync(hosts);
    // nerdctl looks for the index, where everybody else has the hub's own name.
    if (described) symlinkSync(described, join(hosts, domain === DOCKER_HUB ? HUB_INDEX : domain));
    else if (own) {
      mirror =
        credential && (await given.peers?.open({ url: `https://${domain}`, ca: own.ca, token: credential.password }));
      writeHost(join(hosts, domain), domain, own, mirror);
    }
    return await body({ config: folder, hosts, since: statSync(config).mtimeMs });
  } finally {
    mirror?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Asked = { credential?: RegistryCredential; own?: ClusterRegistry; described?: string };

/** By who is given the credential: whoever may be asked, or with a node's own the cluster's server alone. */
function authsOf(domain: string, { credential, own, described }: Asked): Record<string, { auth: string }> {
  if (!credential) return {};
  const auth = Buffer.from(`${credential.username}:${credential.password}`).toString("base64");
  if (!credential.isForServer)
    return Object.fromEntries(
      [domain === DOCKER_HUB ? HUB_KEY : domain, ...mirrorsOf(described)].map((name) => [name, { auth }]),
    );
  return own && (!described || isTlsAlone(described)) ? { [domain]: { auth } } : {};
}

/** As containerd looks for it, before `_default`: `HOST_PORT_`, `HOST:PORT`. */
const namesOf = (host: string) => [host.replace(/:(\d+)$/, "_$1_"), host];

const folderOf = (root: string, names: readonly string[]): string | undefined =>
  names.map((name) => join(root, name)).find((path) => existsSync(path));

/** nerdctl would speak plain HTTP to loopback, unless it is told of the server. */
function writeHost(folder: string, domain: string, { ca }: ClusterRegistry, mirror: Mirror | undefined): void {
  mkdirSync(folder);
  if (ca) writeFileSync(join(folder, "ca.crt"), ca);
  const server = `server = "https://${domain}"\n${ca ? 'ca = "ca.crt"\n' : ""}`;
  // What a tag means, the registry alone says.
  const first = mirror ? `\n[host."${mirror.url}"]\ncapabilities = ["pull"]\n` : "";
  writeFileSync(join(folder, "hosts.toml"), server + first);
}

/** Whether what is said of a host leaves no doubt that all who answer are held to their certificates. */
function isTlsAlone(folder: string): boolean {
  const said = saidIn(folder);
  return /^\s*server\s*=\s*["']https:\/\//m.test(said) && !/http:|skip_verify/i.test(said);
}

function saidIn(folder: string): string {
  const file = join(folder, "hosts.toml");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** Who else may be asked for the registry's images, and gets its credentials, as with containerd. */
function mirrorsOf(folder: string | undefined): string[] {
  const urls = (folder ? saidIn(folder) : "").matchAll(
    /^\s*(?:\[\s*host\s*\.\s*["']([^"']+)["']\s*\]|server\s*=\s*["']([^"']+)["'])/gm,
  );
  return [...urls].flatMap(([, host, server]) => hostOf(host ?? server ?? ""));
}

function hostOf(url: string): string[] {
  const [, scheme = "https", host = ""] = /^(?:(https?):\/\/)?([^/]+)/.exec(url) ?? [];
  if (!host) return [];
  return [/:\d+$/.test(host) ? host : `${host}:${scheme === "http" ? 80 : 443}`];
}
