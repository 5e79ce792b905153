import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { clusterRegistry, identityFor } from "./cluster-registry.ts";
import { CredentialProviders, type ProviderDeps } from "./credential-providers.ts";
import type { ImageSettings } from "./images.ts";
import type { DockerConfig } from "./keyring.ts";
import type { PullSettings } from "./pull-settings.ts";
import { recordFiles } from "./records.ts";

/** For the node whose state lies under `home`. */
export function imageSettings(home: string, pulls: PullSettings, deps: ProviderDeps): ImageSettings {
  const providers = pulls.providers && new CredentialProviders(pulls.providers, deps);
  return {
    ...pulls,
    records: recordFiles(join(home, "images")),
    nodeCredentials: async (repository) => [nodeCredentials(home), ...((await providers?.configs(repository)) ?? [])],
    identity: (repository) => identityFor(clusterRegistry(home), repository),
  };
}

/** Where a kubelet looks, with `home` in its own folder's place. https://kubernetes.io/docs/concepts/containers/images/#config-json */
function nodeCredentials(home: string): DockerConfig {
  const folders = [home, process.cwd(), join(homedir(), ".docker"), "/.docker"];
  for (const folder of folders) {
    const found = readConfig<{ auths?: DockerConfig }>(join(folder, "config.json"));
    if (found?.auths) return found.auths; // others call their files config.json, too
  }
  for (const folder of [home, process.cwd(), homedir(), "/"]) {
    const found = readConfig<DockerConfig>(join(folder, ".dockercfg"));
    if (found) return found;
  }
  return {};
}

function readConfig<T>(path: string): T | undefined {
  try {
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : undefined;
  } catch {
    return undefined; // the next place is looked at
  }
}
