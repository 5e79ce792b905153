/** Linux as a program (user-mode-linux): for what the machine's own kernel was built without. It has the machine's files as its own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../agent/process.ts";
import { ensurePackages } from "./programs.ts";

const MODULES = "/usr/lib/uml/modules";

export type OwnKernel = {
  /** Names of the kernel's modules that are loaded first, each after those that it needs. */
  modules: readonly string[];
  /** For sh(1), as root: `$FOLDER` is a folder of its memory. Its standard output is what is returned. */
  script: string;
};

/** Throws where the script fails. */
export async function inOwnKernel({ modules, script }: OwnKernel): Promise<string> {
  await ensurePackages({ "linux.uml": "user-mode-linux", busybox: "busybox-static" });
  const folder = mkdtempSync(join(tmpdir(), "skerry-kernel-"));
  try {
    const files = readdirSync(MODULES, { recursive: true, encoding: "utf8" });
    const load = modules.map((name) => {
      const file = files.find((path) => path.endsWith(`/${name}.ko`));
      return file ? `busybox insmod ${join(MODULES, file)}` : `: ${name} is built in`;
    });
    const lines = [
      "#!/bin/sh",
      `export PATH=${process.env.PATH} FOLDER=/mnt`,
      "mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /mnt",
      ...load,
      `cd ${process.cwd()}`,
      `(set -e; ${script}) >${folder}/out 2>${folder}/err; echo $? >${folder}/code`,
      "sync; busybox poweroff -f",
    ];
    writeFileSync(`${folder}/init`, lines.join("\n"), { mode: 0o755 });
    writeFileSync(`${folder}/code`, "");
    const console = ["con=null", "con0=null,fd:1"];
    const root = ["rootfstype=hostfs", "rootflags=/", "rw", `init=${folder}/init`, `uml_dir=${folder}`];
    const env = { ...process.env, TMPDIR: folder };
    const said = await run("linux.uml", ["mem=1G", ...root, ...console], { env });
    const read = (name: string) => readFileSync(`${folder}/${name}`, "utf8");
    if (read("code").trim() !== "0")
      throw new Error(
        `the script ended with ${read("code")}: ${read("err")}\n${said.stdout.slice(-2000)}${said.stderr}`,
      );
    return read("out");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
