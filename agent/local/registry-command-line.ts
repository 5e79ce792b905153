/** The commands about the cluster's own registry of images. What they do is loaded when they run. */
import { type Command, Option } from "commander";
import { seconds, withReach } from "./command-options.ts";
import type { Home } from "./home.ts";
import type { Progress } from "./install.ts";
import type { CollectGarbage, SetQuota } from "./registry.ts";

export function addRegistryCommands(program: Command, home: () => Home, progress: Progress): void {
  const registry = program.command("registry").description("the cluster's own registry of images");
  withReach(registry.command("gc"))
    .description("remove what no tag, no index, no running container and no push needs")
    .option("--grace <duration>", "what is younger stays: 0s where nobody pushes; a day by default", seconds)
    .addOption(
      new Option("--by-clock <switch>", "whether it is done by itself, too; then nothing is removed now")
        .choices(["on", "off"])
        .conflicts("grace"),
    )
    .action(async (options: CollectGarbage) =>
      (await import("./registry.ts")).collectGarbage({ home: home(), progress }, options),
    );
  withReach(registry.command("quota"))
    .description("print how much repositories hold and may hold, after setting or removing a bound")
    .argument("[prefix]", "of team and team/… with `team`; of all together when absent")
    .option("--set <size>", "how much they may hold, e.g. 20Gi")
    .option("--remove", "they may hold as much as the bucket does")
    .action(async (prefix: string | undefined, options: SetQuota) =>
      (await import("./registry.ts")).quota(home(), prefix, options),
    );
}
