import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The log of a container that is there, where nerdctl keeps it by its settings; undefined when it keeps it elsewhere.
 * https://github.com/containerd/nerdctl/blob/main/docs/dir.md
 */
export function logPathOf(toml: string, namespace: string, id: string): string | undefined {
  const settings = readFileSync(toml, "utf8");
  const setting = (name: string) => new RegExp(`^${name} = "(.*)"$`, "m").exec(settings)?.[1] ?? "";
  const address = realpathSync(setting("address"));
  const store = createHash("sha256").update(address).digest("hex").slice(0, 8);
  const path = join(setting("data_root"), store, "containers", namespace, id, `${id}-json.log`);
  return existsSync(dirname(path)) ? path : undefined;
}
