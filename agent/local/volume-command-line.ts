/** The commands about volumes on nodes' own disks. What they do is loaded when they run. */
import type { Command } from "commander";
import { effects } from "../effects.ts";
import { withReach } from "./backup-command-line.ts";
import type { Home } from "./home.ts";
import type { Progress } from "./install.ts";
import type { BackupVolume, RestoreVolume } from "./volume.ts";
import type { MoveVolume } from "./volume-move.ts";

const load = () => import("./volume.ts");

export function addVolumeCommands(program: Command, home: () => Home, progress: Progress): void {
  const context = () => ({ home: home(), progress, effects });
  const volume = program.command("volume").description("the data of volumes on nodes' own disks");

  withReach(volume.command("backup"))
    .description("write all that is in a claim's volume into a tar file")
    .argument("<namespace/claim>")
    .option("--to <file>", "- for standard output; compressed where it ends with .gz or .tgz; default CLAIM.tar.gz")
    .addHelpText(
      "after",
      `
Owners, modes, times, extended attributes, links and holes are kept. While pods write to the volume, files are taken one
after another: what has to fit together is copied when its program is stopped, or by the program's own means.`,
    )
    .action(async (claim: string, options: BackupVolume) => (await load()).backupVolume(context(), claim, options));

  withReach(volume.command("restore"))
    .description("put what a tar file has into a claim's volume that no pod uses, all of it or nothing")
    .argument("<namespace/claim>")
    .requiredOption("--from <file>", "from `skerry volume backup`, or any other tar; - for standard input")
    .option("--replace", "also where the volume has data: all of that is lost")
    .option("--size <quantity>", "makes the claim, of the default class, where there is none")
    .option("--node <name>", "of a claim that has no volume yet: the node that it is to lie on")
    .action(async (claim: string, options: RestoreVolume) => (await load()).restoreVolume(context(), claim, options));

  withReach(volume.command("move"))
    .description("move a claim's volume to another node, with its data")
    .argument("<namespace/claim>")
    .option("--to-node <name>", "where it is to lie")
    .option(
      "--stop",
      "evict the pods that use it: their controllers make new ones, which wait for the data on that node",
    )
    .option("--no-wait", "only say that it is to move")
    .option("--cancel", "call it off, while the data is being copied")
    .addHelpText(
      "after",
      `
The nodes do it, and go on when this command ends: the data goes straight from one to the other, and is removed from the
first when all of it is on the second. The claim stays as it is; its PersistentVolume is made anew, by the same name.
\`kubectl annotate pv NAME skerry.dev/move-to=NODE\` says the same.`,
    )
    .action(async (claim: string, options: MoveVolume) =>
      (await import("./volume-move.ts")).moveVolume(context(), claim, options),
    );
}
