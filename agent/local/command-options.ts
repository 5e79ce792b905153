/** Options that commands share. */
import { type Command, InvalidArgumentError } from "commander";

export function url(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text.replace(/\/$/, "");
  throw new InvalidArgumentError("a URL is, e.g., https://192.0.2.2:6443");
}

export function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("it is a number, 1 or more");
  return Number(text);
}

export const withReach = (command: Command): Command =>
  command
    .option("--cluster <name>", "of which cluster", "default")
    .option("--server <url>", "of a deployment elsewhere, whose secret this home has, as after `skerry deploy`", url)
    .option("--kubeconfig <file>", "of the cluster that this file's current context names")
    .option("--context <name>", "of this context of that file, or of kubectl's own configuration");

export type Printed = { json?: boolean };

/** Of a command that prints what a program may want to read. */
export const withJson = (command: Command): Command => command.option("--json", "as JSON");

export function seconds(text: string): number {
  const match = /^(\d+)(s|m|h|d)?$/.exec(text);
  if (!match) throw new InvalidArgumentError("a duration is a number with s, m, h or d, e.g. 24h");
  return Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86_400 }[(match[2] ?? "s") as "s" | "m" | "h" | "d"];
}
