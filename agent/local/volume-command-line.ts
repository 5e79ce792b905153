/** The commands about volumes on nodes' own disks. What they do is loaded when they run. */
import { type Command, Option } from "commander";
import { effects } from "../effects.ts";
import { count, withJson, withReach } from "./command-options.ts";
import type { Home } from "./home.ts";
import type { Progress } from "./install.ts";
import type { BackupVolume, RestoreVolume, VolumeBackups } from "./volume.ts";
import type { MoveVolume } from "./volume-move.ts";

const load = () => import("./volume.ts");

export function addVolumeCommands(program: Command, home: () => Home, progress: Progress): void {
  const context = () => ({ home: home(), progress, effects });
  const volume = program.command("volume").description("the data of volumes on nodes' own disks");

  withReach(volume.command("backup"))
    .description("write all that is in a claim's volume into a tar file, or into the deployment's bucket")
    .argument("<namespace/claim>")
    .option(
      "--to <file>",
      "- for standard output; compressed where it ends with .gz or .tgz; default CLAIM.tar.gz; bucket for the deployment's bucket, compressed and sealed",
    )
    .option("--keep <count>", "in the bucket: whole backups of the claim beyond the newest so many are removed", count)
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
    .requiredOption(
      "--from <file>",
      "from `skerry volume backup`, or any other tar; - for standard input; bucket for the newest in the deployment's bucket, bucket:NAME or bucket:NAMESPACE/CLAIM/NAME for another",
    )
    .option("--replace", "also where the volume has data: all of that is lost")
    .option("--size <quantity>", "makes the claim, of the default class, where there is none")
    .option("--node <name>", "of a claim that has no volume yet: the node that it is to lie on")
    .action(async (claim: string, options: RestoreVolume) => (await load()).restoreVolume(context(), claim, options));

  withJson(withReach(volume.command("backups")))
    .description("list a claim's backups in the deployment's bucket: name, time and bytes")
    .argument("<namespace/claim>")
    .option("--delete <name>", "remove this one")
    .action(async (claim: string, options: VolumeBackups) => (await load()).volumeBackups(context(), claim, options));

  withReach(volume.command("move"))
    .description("move a claim's volume to another node, with its data")
    .argument("<namespace/claim>")
    .option("--to-node <name>", "where it is to lie")
    .option(
      "--stop",
      "evict the pods that use it: their controllers make new ones, which wait for the data on that node",
    )
    .addOption(
      new Option(
        "--through <way>",
        "bucket: by way of the deployment's bucket, so that the two nodes need not be up at once",
      ).choices(["bucket"]),
    )
    .option("--no-wait", "only say that it is to move")
    .option("--cancel", "call it off, while the data is being copied")
    .addHelpText(
      "after",
      `
The nodes do it, and go on when this command ends: the data goes straight from one to the other, and is removed from the
first when all of it is on the second. With \`--through bucket\` the first sends it into the deployment's bucket, compressed
and sealed, and the second reads it there, whenever each of them is up. The claim stays as it is; its PersistentVolume is made anew, by the same name.
\`kubectl annotate pv NAME skerry.dev/move-to=NODE\` says the same, before which
\`skerry.dev/move-through=bucket\` says which way.`,
    )
    .action(async (claim: string, options: MoveVolume) =>
      (await import("./volume-move.ts")).moveVolume(context(), claim, options),
    );
}
