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
import { parseReference } from "./reference.ts";

/** Where nerdctl finds what it needs for one registry. */
export type RegistryAccess = {
  /** A DOCKER_CONFIG with the credential, or with none. */
  config: string;
  /** Folders of `HOST/hosts.toml`, the first that has the host counts. */
  hosts: readonly string[];
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
  given: { parent: string; credential?: RegistryCredential; hostsFolders: readonly string[] },
  body: (access: RegistryAccess) => Promise<T>,
): Promise<T> {
  const { parent, credential, hostsFolders } = given;
  const { domain } = parseReference(image);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(parent, "pull-"));
  try {
    const described = hostsFolders.map((hosts) => folderOf(hosts, domain)).find((found) => found !== undefined);
    const names = [domain === DOCKER_HUB ? HUB_KEY : domain, ...mirrorsOf(described)];
    const auth = credential && Buffer.from(`${credential.username}:${credential.password}`).toString("base64");
    const auths = auth ? Object.fromEntries(names.map((name) => [name, { auth }])) : {};
    const config = join(folder, "config.json");
    writeFileSync(config, JSON.stringify({ auths }), { mode: 0o600 });
    // nerdctl looks for the index, where everybody else has the hub's own name.
    if (domain === DOCKER_HUB && described) {
      mkdirSync(join(folder, "hosts"));
      symlinkSync(described, join(folder, "hosts", HUB_INDEX));
    }
    const hosts = domain === DOCKER_HUB && described ? [join(folder, "hosts")] : hostsFolders;
    return await body({ config: folder, hosts, since: statSync(config).mtimeMs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As containerd looks for it: `HOST_PORT_`, `HOST:PORT`, `_default`. */
function folderOf(root: string, host: string): string | undefined {
  const escaped = host.replace(/:(\d+)$/, "_$1_");
  return [escaped, host, "_default"].map((name) => join(root, name)).find((path) => existsSync(path));
}

/** Who else may be asked for the registry's images, and gets its credentials, as with containerd. */
function mirrorsOf(folder: string | undefined): string[] {
  const file = folder && join(folder, "hosts.toml");
  if (!file || !existsSync(file)) return [];
  const urls = readFileSync(file, "utf8").matchAll(
    /^\s*(?:\[\s*host\s*\.\s*["']([^"']+)["']\s*\]|server\s*=\s*["']([^"']+)["'])/gm,
  );
  return [...urls].flatMap(([, host, server]) => hostOf(host ?? server ?? ""));
}

function hostOf(url: string): string[] {
  const [, scheme = "https", host = ""] = /^(?:(https?):\/\/)?([^/]+)/.exec(url) ?? [];
  if (!host) return [];
  return [/:\d+$/.test(host) ? host : `${host}:${scheme === "http" ? 80 : 443}`];
}
