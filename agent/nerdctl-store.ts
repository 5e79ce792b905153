import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** The values of its settings, of those that are on a line of their own. */
function settingsOf(toml: string): <T>(name: string, otherwise: T) => T {
  const text = readFileSync(toml, "utf8");
  return (name, otherwise) => {
    const value = new RegExp(`^${name} = (.*)$`, "m").exec(text)?.[1];
    return value === undefined ? otherwise : JSON.parse(value);
  };
}

/** Where registries' hosts are described, the first that tells of one counts. */
export const hostsFoldersOf = (toml: string): string[] => settingsOf(toml)("hosts_dir", []);

/**
 * The log of a container that is there, where nerdctl keeps it by its settings; undefined when it keeps it elsewhere.
 * https://github.com/containerd/nerdctl/blob/main/docs/dir.md
 */
export function logPathOf(toml: string, namespace: string, id: string): string | undefined {
  const setting = settingsOf(toml);
  const address = realpathSync(setting("address", ""));
  const store = createHash("sha256").update(address).digest("hex").slice(0, 8);
  const path = join(setting("data_root", ""), store, "containers", namespace, id, `${id}-json.log`);
  return existsSync(dirname(path)) ? path : undefined;
}

/** Where containerd keeps what it gave the runtime of a container that has been started, until that is removed. */
export const bundleOf = (toml: string, namespace: string, id: string): string =>
  join(dirname(toml), "state/io.containerd.runtime.v2.task", namespace, id);

/** The socket of the containerd that nerdctl speaks to by its settings. */
export const addressOf = (toml: string): string => settingsOf(toml)("address", "");
