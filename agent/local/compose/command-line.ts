/** The commands about compose files. What they do is loaded when they run. */
import type { Command } from "commander";
import { effects } from "../../effects.ts";
import { seconds, withJson, withReach } from "../command-options.ts";
import type { Home } from "../home.ts";
import type { Progress } from "../install.ts";
import type { ComposeOptions } from "./plan.ts";
import type { LogsOptions, PsOptions } from "./show.ts";
import type { DownOptions, UpOptions } from "./up.ts";

const changing = () => import("./up.ts");
const showing = () => import("./show.ts");
const several = (value: string, before: string[] = []) => [...before, value];

export function addComposeCommands(program: Command, home: () => Home, progress: Progress): void {
  const context = () => ({ home: home(), progress, effects });
  const compose = withReach(program.command("compose"))
    .description("run compose files: their services, volumes, configs and secrets as Kubernetes objects")
    .option("-f, --file <file>", "a compose file, several are merged (default compose.yaml and its like)", several)
    .option("-p, --project <name>", "the project's name (default the file's, or its folder's)")
    .option("-n, --namespace <name>", "one that is there (default one of the project's name, which is made)")
    .option("--profile <name>", "services of this profile too; * for all", several)
    .option("--env-file <file>", "variables of the compose file, instead of .env", several)
    .option("--ignore-unsupported", "what cannot be had is left out");

  compose
    .command("up")
    .description("apply the project, remove what it has no more, and wait until all is ready")
    .option("--dry-run", "have the cluster check it, and change nothing")
    .option("--no-wait", "only for what others depend on")
    .option("--timeout <duration>", "how long each service may take", seconds, 300)
    .action(async (_, command: Command) => (await changing()).up(context(), command.optsWithGlobals<UpOptions>()));
  compose
    .command("convert")
    .description("print the Kubernetes objects")
    .action(async (_, command: Command) =>
      (await showing()).convert(context(), command.optsWithGlobals<ComposeOptions>()),
    );
  compose
    .command("down")
    .description("delete the project's objects; volumes stay")
    .option("--volumes", "delete its volumes too, with their data")
    .option("--timeout <duration>", "how long its pods may take to end", seconds, 300)
    .action(async (_, command: Command) => (await changing()).down(context(), command.optsWithGlobals<DownOptions>()));
  withJson(compose.command("ps"))
    .description("list the project's pods")
    .action(async (_, command: Command) => (await showing()).ps(context(), command.optsWithGlobals<PsOptions>()));
  compose
    .command("logs")
    .description("print what its services print")
    .argument("[services...]", "all when absent")
    .option("--follow", "go on with what comes")
    .option("--tail <lines>", "of each pod the last so many")
    .action(async (services: string[], _, command: Command) =>
      (await showing()).logs(context(), services, command.optsWithGlobals<LogsOptions>()),
    );
}
