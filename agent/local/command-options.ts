/** Options that commands share. */
import { type Command, InvalidArgumentError } from "commander";

export const withReach = (command: Command): Command =>
  command
    .option("--cluster <name>", "of which cluster", "default")
    .option("--server <url>", "of a deployment elsewhere, whose secret this home has, as after `skerry deploy`")
    .option("--kubeconfig <file>", "of the cluster that this file's current context names")
    .option("--context <name>", "of this context of that file, or of kubectl's own configuration");

export function seconds(text: string): number {
  const match = /^(\d+)(s|m|h|d)?$/.exec(text);
  if (!match) throw new InvalidArgumentError("a duration is a number with s, m, h or d, e.g. 24h");
  return Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86_400 }[(match[2] ?? "s") as "s" | "m" | "h" | "d"];
}
