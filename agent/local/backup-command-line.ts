/** The commands about a cluster's whole state. What they do is loaded when they run. */
import type { Command } from "commander";
import { effects } from "../effects.ts";
import type { RestoreCommand, RewindCommand } from "./backup.ts";
import { seconds, url, withReach } from "./command-options.ts";
import type { Home } from "./home.ts";
import type { Progress } from "./install.ts";

const load = () => import("./backup.ts");

const withPassphrase = (command: Command): Command =>
  command.option(
    "--passphrase-file <file>",
    "encrypts, or opens what was encrypted (or SKERRY_BACKUP_PASSPHRASE in the environment)",
  );

export function addBackupCommands(program: Command, home: () => Home, progress: Progress): void {
  const context = () => ({ home: home(), progress, effects });
  withPassphrase(withReach(program.command("backup")))
    .description("write a cluster's whole state into one file, as it is at one moment, while the cluster goes on")
    .argument("[file]", "- for standard output; by default named after the cluster and the time")
    .addHelpText(
      "after",
      `
The file holds all objects, secrets among them, the cluster's keys, and what its nodes' credentials hash to. Without a
passphrase all of that is in the clear, and the file for its owner alone. Later releases read it.`,
    )
    .action(async (file: string | undefined, options) => (await load()).backup(context(), file, options));

  withPassphrase(withReach(program.command("restore")))
    .description("put the state that a backup holds in the place of a cluster's, all of it or nothing")
    .argument("[file]", "from `skerry backup`, or from `kubectl get --raw /skerry/backup`")
    .option("--replace", "also where the cluster is not empty: all that it has since is lost")
    .option("--at <time>", "instead of a file, on Cloudflare: a moment of the last 30 days, as 2026-01-02T03:04Z")
    .option("--ago <duration>", "the same, counted back from now, as 2h", seconds)
    .addHelpText(
      "after",
      `
Revisions go on above all that there were, and every watch begins anew. Nodes come back by themselves, those that joined
after the backup too; pods that should still run go on, others are stopped, and what is missing is started. Join tokens
are not restored. The cluster keeps its name, and takes everything else from the backup, its keys among it.`,
    )
    .action(async (file: string | undefined, options: RestoreCommand & RewindCommand) => {
      const given = [file, options.at, options.ago].filter((source) => source !== undefined);
      if (given.length !== 1) throw new Error("name a file, or one of --at and --ago");
      if (file === undefined) await (await load()).rewind(context(), options);
      else await (await load()).restore(context(), file, options);
    });

  program
    .command("fork")
    .description("make a new cluster of a cluster's state, under another name of the same deployment")
    .argument("<name>", "of the new cluster, at /clusters/NAME")
    .option("--from <name>", "of which cluster", "default")
    .option("--server <url>", "of a deployment elsewhere, whose secret this home has, as after `skerry deploy`", url)
    .option("--replace", "also where a cluster of that name is not empty")
    .addHelpText(
      "after",
      `
The new cluster has keys and an identity of its own: tokens of the old one are refused, and the namespace kube-system has
another uid. Machines stay with the old cluster, and with them Node objects, their leases, events, certificate requests,
and the pods that they run: Deployments and the like make new ones, which are pending until machines join; pods that
nobody owns become pending too. What the new cluster does by itself it does from then on, CronJobs and webhooks too.`,
    )
    .action(async (name: string, options) => (await load()).fork(context(), name, options));
}
