/** The commands that show how things are, and the last one. What they do is loaded when they run. */
import type { Command } from "commander";
import { effects } from "../effects.ts";
import { withReach } from "./command-options.ts";
import type { DoctorOptions } from "./doctor/doctor.ts";
import type { Home } from "./home.ts";
import type { Progress } from "./install.ts";
import type { StatusOptions } from "./status.ts";

export function addUserCommands(program: Command, home: () => Home, _progress: Progress): void {
  withReach(program.command("status"))
    .description("the cluster and this machine in one look, and what is wrong; exits with 2 where an error is")
    .option("--json", "as JSON")
    .action(async (options: StatusOptions) => (await import("./status.ts")).status(home(), options, effects.now()));

  withReach(program.command("doctor"))
    .description("look for this machine's usual faults, and say what mends each; exits with 2 where there is one")
    .option("--json", "as JSON")
    .action(async (options: DoctorOptions) =>
      (await import("./doctor/doctor.ts")).doctor(home(), options, effects.now),
    );
}
