/** The commands about the cluster's own registry of images. What they do is loaded when they run. */
import type { Command } from "commander";
import { seconds, withReach } from "./command-options.ts";
import type { Home } from "./home.ts";
import type { Progress } from "./install.ts";
import type { CollectGarbage } from "./registry.ts";

export function addRegistryCommands(program: Command, home: () => Home, progress: Progress): void {
  const registry = program.command("registry").description("the cluster's own registry of images");
  withReach(registry.command("gc"))
    .description("remove what no tag, no index, no running container and no push needs")
    .option("--grace <duration>", "what is younger stays: 0s where nobody pushes; a day by default", seconds)
    .action(async (options: CollectGarbage) =>
      (await import("./registry.ts")).collectGarbage({ home: home(), progress }, options),
    );
}
