import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { ImageSettings } from "./images.ts";
import type { DockerConfig } from "./keyring.ts";
import { PULL_LIMITS, type PullLimits } from "./pulls.ts";
import { recordFiles } from "./records.ts";
import { parsePolicies } from "./signatures.ts";

export type ImageOptions = {
  limits?: PullLimits;
  /** A YAML file of ClusterImagePolicies. */
  policyFile?: string;
};

/** For the node whose state lies under `home`. Throws for a policy that cannot be read. */
export function imageSettings(home: string, { limits = PULL_LIMITS, policyFile }: ImageOptions = {}): ImageSettings {
  return {
    limits,
    records: recordFiles(join(home, "images")),
    nodeCredentials: () => nodeCredentials(home),
    ...(policyFile && { policy: readPolicies(policyFile) }),
  };
}

function readPolicies(path: string) {
  const documents = parseAllDocuments(readFileSync(path, "utf8"));
  for (const { errors } of documents) if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  return parsePolicies(documents.map((document) => document.toJS()));
}

/** Where a kubelet looks, with `home` in its own folder's place. https://kubernetes.io/docs/concepts/containers/images/#config-json */
function nodeCredentials(home: string): DockerConfig {
  const folders = [home, process.cwd(), join(homedir(), ".docker"), "/.docker"];
  for (const folder of folders) {
    const found = readConfig<{ auths?: DockerConfig }>(join(folder, "config.json"));
    if (found) return found.auths ?? {};
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
