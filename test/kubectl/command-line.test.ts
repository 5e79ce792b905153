/** The command line around a cluster's life: how it is, what it prints, and that nothing of it is left. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Status } from "../../agent/local/status.ts";
import { run, spawn } from "../../agent/process.ts";
import { eventually, REMOVAL, TestCluster } from "../support/cluster.ts";
import { ensurePackages } from "../support/programs.ts";
import { traces } from "../support/traces.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "agent/main.ts");

let cluster: TestCluster;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skerry-commands-"));
  // As npm installs it; this machine's own home is none of kubectl's business.
  const plugin = join(folder, "kubectl-skerry");
  const words = `exec env SKERRY_HOME=${folder}/none '${process.execPath}' '${join(ROOT, "agent/kubectl.ts")}' "$@"`;
  writeFileSync(plugin, `#!/bin/sh\n${words}\n`);
  chmodSync(plugin, 0o755);
  cluster = await TestCluster.start({ environment: { PATH: `${folder}${delimiter}${process.env.PATH}` } });
});

afterAll(async () => {
  if (cluster && existsSync(cluster.home)) await cluster.stop();
  rmSync(folder, REMOVAL);
});

const workload = (name: string, image: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: 2
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - { name: one, image: "${image}", command: [sh, -c, "echo first; echo second; exec sleep 100000"] }
        - { name: two, image: "${image}", command: [sh, -c, "echo other; exec sleep 100000"] }
`;

async function status(...args: string[]): Promise<{ code: number; told: Status }> {
  const done = await cluster.skerry("status", "--json", ...args);
  if (!done.stdout) throw new Error(done.stderr);
  return { code: done.code, told: JSON.parse(done.stdout) as Status };
}

test("status tells the cluster and this machine, also through kubectl, and what is wrong makes it fail", async () => {
  await cluster.apply(workload("web", "busybox:test"));
  await cluster.ok("rollout status deployment/web");
  const { code, told } = await status();
  expect([code, told.problems.filter(({ severity }) => severity === "error")]).toEqual([0, []]);
  expect(told.machine).toMatchObject({ home: cluster.home, node: "node-a", agent: expect.any(Number) });
  expect(told.nodes).toMatchObject([{ name: "node-a", status: "Ready", pods: 2 }]);
  const plugin = await cluster.kubectl("skerry --context skerry status");
  expect(plugin.all).toMatch(/^cluster {3}https:\/\/127\.0\.0\.1:\d+ /);
  expect(plugin.all).toMatch(/\nnode-a +Ready /);
  expect(plugin).toMatchObject({ code: 0, stdout: expect.not.stringContaining("machine") });

  await cluster.apply(workload("ill", "registry.invalid/nothing:1"));
  const ill = await eventually("the pull fails", async () => {
    const seen = await status();
    return seen.code === 2 && seen;
  });
  expect(ill.told.problems[0]).toMatchObject({
    severity: "error",
    kind: "Pod",
    remedy: expect.stringContaining("tag"),
  });
  await cluster.ok("delete deployment ill");
});

test("logs are those of all pods and containers of a workload, and of pods that come", async () => {
  const lines = (text: string) =>
    text
      .replace(/^\S+\//gm, "")
      .split("\n")
      .filter(Boolean)
      .toSorted();
  const printed = (n: number) => [
    ...Array(n).fill("one | first"),
    ...Array(n).fill("one | second"),
    ...Array(n).fill("two | other"),
  ];
  const all = await eventually("both have printed", async () => {
    const { stdout } = await cluster.skerry("logs", "deploy/web");
    return lines(stdout).length === 6 && lines(stdout);
  });
  expect(all).toEqual(printed(2));
  expect(lines((await cluster.skerry("logs", "web", "-c", "two")).stdout)).toEqual(printed(2).slice(-2));
  expect(await cluster.skerry("logs", "nobody")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no workload nobody in the namespace default: `kubectl get all -A`"),
  });

  const child = spawn(process.execPath, [MAIN, "logs", "web", "--follow"], {
    env: cluster.environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  try {
    await eventually("both are followed", async () => lines(said).length === 6);
    await cluster.ok("scale deployment web --replicas=3");
    await eventually("the third is followed", async () => lines(said).length === 9);
    expect(lines(said)).toEqual(printed(3));
  } finally {
    child.kill("SIGKILL");
  }
});

test("what cannot be done says the next step", async () => {
  const created = await cluster.skerry("token", "create");
  const address = `https://127.0.0.1:${cluster.port}`;
  const hash = /sha256:\w+/.exec(created.stdout)?.[0] ?? "";
  const list = await cluster.skerry("token", "list", "--json");
  expect(JSON.parse(list.stdout)[0]).toMatchObject({ id: expect.any(String), expires: expect.any(String) });
  const env = { ...cluster.environment, SKERRY_HOME: join(folder, "none"), KUBECONFIG: join(folder, "none") };
  const skerry = (...args: string[]) => run(process.execPath, [MAIN, ...args], { env });
  for (const [args, words] of [
    [["status"], "`skerry up` starts one here"],
    [["join", address], "`skerry token create` on the cluster's side"],
    [["join", address, "--token", "join:wrong"], "--ca-hash"],
    [["join", address, "--token", "join:wrong", "--ca-hash", hash], "a join token is valid for a day"],
    [["join", address.slice("https://".length)], "a URL is, e.g., https://192.0.2.2:6443"],
    [["join", address.replace("https", "http"), "--token", "join:wrong"], "does it speak https://?"],
    [["join", address, "--token", "join:wrong", "--ca-hash", "00"], "it is sha256: and 64"],
    [["status", "--kubeconfig", join(folder, "none")], "check the path"],
    [["token", "lst"], "(Did you mean list?)"],
    [["uninstall"], "holds neither a node nor a cluster"],
    [["up", "--no-agent"], `port ${cluster.port} is in use: choose another with SKERRY_PORT`],
  ] as const)
    expect(await skerry(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
});

test("colours are for terminals that take them", async () => {
  const shown = async (settings: string) =>
    (
      await run("script", ["-qec", `env ${settings} '${process.execPath}' '${MAIN}' doctor`, "/dev/null"], {
        env: terminal,
      })
    ).stdout;
  const env = { ...cluster.environment };
  for (const name of ["NO_COLOR", "FORCE_COLOR", "CI"]) delete env[name]; // Node.js has no colours in unknown CI
  const terminal = { ...env, TERM: "xterm" };
  expect(await shown("A=1")).toContain("\u001b[32mok");
  for (const settings of ["NO_COLOR=1", "TERM=dumb"]) expect(await shown(settings)).not.toContain("\u001b");
  expect((await cluster.skerry("doctor")).stdout).not.toContain("\u001b");
});

/** Types each of them, asks for completions, and prints what is offered. */
const ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'autoload -U compinit; compinit -u -D; LISTMAX=9999
source '$1'
compadd() { local -a found; builtin compadd -O found "$@"; offered+=($found); builtin compadd "$@"; }
offer() { offered=(); zle list-choices; print -r -- "<\${(j: :)offered}>"; zle kill-whole-line; }
zle -N offer; bindkey "^X" offer; PS1=; print rea""dy'
zpty -r shell line '*ready*'
shift
for words; do
  zpty -n -w shell "$words"$'\\C-x'
  zpty -r shell line '*<*>*'
  print -r -- \${\${line##*<}%%>*}
done
zpty -d shell
`;

test("bash, zsh and fish offer what there is", async () => {
  await ensurePackages({ zsh: "zsh", fish: "fish" });
  for (const shell of ["bash", "zsh", "fish"])
    writeFileSync(join(folder, `completion.${shell}`), (await cluster.skerry("completion", shell)).stdout);
  const typed = {
    "skerry tok": ["token"],
    "skerry token ": ["create", "help", "list", "revoke"],
    "skerry token create --t": ["--ttl"],
    "skerry --": ["--help", "--version"],
    "skerry compose -p down u": ["up"],
    "skerry compose --file completion.b": ["completion.bash"],
    "skerry completion ": ["bash", "fish", "zsh"],
  };
  const words = Object.keys(typed);
  const fish = `source completion.fish; for words in $argv; complete -C $words | string replace -r '\\t.*' '' | string join ' '; end`;
  const bash = `source completion.bash; for words; do COMP_WORDS=($words); [[ $words == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _skerry; echo "\${COMPREPLY[*]}"; done`;
  for (const [shell, ...args] of [
    ["bash", "--norc", "-c", bash, "bash"],
    ["zsh", "-f", "-c", ZSH, "zsh", "completion.zsh"],
    ["fish", "--no-config", "-c", fish],
  ] as const) {
    const env = { ...process.env, HOME: folder, TERM: "xterm" };
    const { stdout, stderr } = await run(shell, [...args, ...words], { cwd: folder, env, timeoutMs: 120_000 });
    const offered = stdout
      .replaceAll("\r", "")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ").filter(Boolean).toSorted());
    expect([shell, offered], stderr).toEqual([shell, Object.values(typed)]);
  }
});

test("uninstall asks first, and then leaves nothing", async () => {
  const before = await traces(cluster.home, "node-a");
  for (const place of ["links", "routes", "tables", "namespaces", "shared", "cgroups", "mounts", "processes", "files"])
    expect(before[place], place).not.toEqual([]);
  const asked = await cluster.skerry("uninstall");
  expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining("--yes") });
  expect(await traces(cluster.home, "node-a")).toMatchObject({ files: [cluster.home], links: before.links });

  const done = await cluster.skerry("uninstall", "--yes");
  expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining(`nothing of ${cluster.home} is left`) });
  await cluster.supervisorGone();
  await eventually("nothing is left", async () => {
    const left = Object.entries(await traces(cluster.home, "node-a")).filter(([, found]) => found.length > 0);
    if (left.length) throw new Error(JSON.stringify(left));
    return true;
  });
});
