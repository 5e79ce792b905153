import { Argument, Command } from "commander";
import { expect, test } from "vitest";
import { run } from "../../process.ts";
import { completionFor, placesOf } from "./scripts.ts";

function program(): Command {
  const made = new Command("skerry").version("1");
  made.command("secret", { hidden: true });
  made.command("up").description("start; it's simple").option("--node-ip <address>", "where").option("--no-agent");
  const compose = made.command("compose").option("-f, --file <file>", "what").option("-p, --project <name>");
  compose.command("up").option("--dry-run");
  compose.command("down");
  made.command("completion").addArgument(new Argument("<shell>").choices(["bash", "zsh"]));
  return made;
}

/** What bash offers where the last word is typed. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `${completionFor("bash", program())}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _skerry; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await run("bash", ["--norc", "-c", script, "bash", "skerry", ...words]);
  expect(stderr).toBe("");
  return stdout.split("\n").filter(Boolean).toSorted();
}

test("bash offers commands, their subcommands, flags and choices", async () => {
  expect(await offered("")).toEqual(["completion", "compose", "help", "up"]);
  expect(await offered("co")).toEqual(["completion", "compose"]);
  expect(await offered("compose", "")).toEqual(["down", "help", "up"]);
  expect(await offered("compose", "up", "--")).toEqual(["--dry-run", "--file", "--help", "--project"]);
  expect(await offered("up", "--n")).toEqual(["--no-agent", "--node-ip"]);
  expect(await offered("completion", "")).toEqual(["bash", "zsh"]);
});

test("bash takes an option's value for no command, and offers files where one is wanted", async () => {
  expect(await offered("compose", "-p", "down", "u")).toEqual(["up"]);
  expect(await offered("compose", "--project", "")).toEqual([]);
  expect(await offered("compose", "-f", "package.js")).toEqual(["package.json"]);
});

test("what is hidden is offered nowhere", () => {
  expect(placesOf(program())[0]?.commands.map(({ word }) => word)).not.toContain("secret");
});

test("fish has each word with its description", () => {
  const script = completionFor("fish", program());
  expect(script).toContain(`complete -c skerry -n '__skerry_at '\\'''\\''' -f -a 'up' -d 'start'\n`);
  expect(script).toContain(`'__skerry_at '\\''compose up'\\''' -l dry-run -f`);
  expect(script).toContain("-s f -l file -r -F -d 'what'");
});
