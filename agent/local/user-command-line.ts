/** The commands that show how things are, and the last one. What they do is loaded when they run. */
import type { Command } from "commander";
import { effects } from "../effects.ts";
import { seconds, withJson, withReach } from "./command-options.ts";
import type { DoctorOptions } from "./doctor/doctor.ts";
import type { Home } from "./home.ts";
import type { Progress } from "./install.ts";
import type { LogsOptions } from "./logs.ts";
import type { StatusOptions } from "./status.ts";
import type { UninstallOptions } from "./uninstall.ts";

export function addUserCommands(program: Command, home: () => Home, progress: Progress): void {
  withJson(withReach(program.command("status")))
    .description("the cluster and this machine in one look, and what is wrong; exits with 2 where an error is")
    .action(async (options: StatusOptions) => (await import("./status.ts")).status(home(), options, effects.now()));

  withJson(withReach(program.command("doctor")))
    .description("look for this machine's usual faults, and say what mends each; exits with 2 where there is one")
    .action(async (options: DoctorOptions) =>
      (await import("./doctor/doctor.ts")).doctor(home(), options, effects.now),
    );

  withReach(program.command("logs"))
    .description(
      "print what all pods of a workload print, each line with the pod's name; or what is kept of a pod that is gone",
    )
    .argument("[workload]", "web, deploy/web, sts/db, ds/x, job/x, pod/x; all pods of the namespace when absent")
    .option("-n, --namespace <name>", "where it is")
    .option("-c, --container <name>", "of this container alone (default all)")
    .option("-f, --follow", "go on with what comes, also of pods that come")
    .option("-p, --previous", "of the containers before their last restart")
    .option("--since <duration>", "no older than this, e.g. 1h", seconds)
    .option("--tail <lines>", "of each the last so many")
    .option("--timestamps", "with the time of each line")
    .action(async (workload: string | undefined, options: LogsOptions) =>
      (await import("./logs.ts")).logs({ home: home(), progress, effects }, workload, options),
    );

  withReach(program.command("uninstall"))
    .description(
      "take this machine's node away, and its control plane where it has one: asks first, and leaves nothing",
    )
    .option("--yes", "do not ask")
    .action(async (options: UninstallOptions) =>
      (await import("./uninstall.ts")).uninstall({ home: home(), progress, effects }, options),
    );
}
