/** The file systems that the suite's images are made of: Debian's packages, the machine's busybox, upstream programs. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Progress } from "../../agent/local/install.ts";
import { checked, ensurePackages } from "../support/programs.ts";
import { kubernetesSource, type UpstreamName, upstreamProgram } from "../support/upstream.ts";

/** Fills an empty folder with a layer's files. */
type Fill = (root: string, progress: Progress) => Promise<void>;

const BUSYBOX = "/bin/busybox";
/** What agnhost's own image installs, by the names that these tools have in Debian. */
const TOOLS = ["bash", "bind9-dnsutils", "curl", "iperf", "iproute2", "libc-bin", "netcat-openbsd", "stress", "wget"];
/** Packages that others require for their installation scripts, which do not run here. */
const INSTALLERS =
  /^(base-files|cdebconf|debconf|debianutils|dpkg|gawk|install-info|libdebian-installer4|libmpfr6|libnewt0\.52|libsigsegv2|libslang2|libtextwrap1|mawk|original-awk|tar)$/;
const NO_SOFT_DEPENDENCIES = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];

export const LAYERS = {
  /**
   * busybox alone, at its usual place. The shell of Debian's version drops variables whose names are no identifiers, which
   * newer ones keep, so whoever asks for `sh` without its folder gets another.
   */
  busybox: async (root) => {
    await unpack(root, ["bash-static"]);
    link("../../../bin/bash-static", join(root, "usr/local/bin/sh"));
    await busybox(root, "bin");
    accounts(root);
  },
  /** What Alpine and Debian images bring: a shell, a libc, and the tools that agnhost's image installs. */
  base: async (root, progress) => {
    mergedUsr(root);
    await packages(root, TOOLS, progress);
    await unpack(root, ["coreutils"], ["./usr/bin/printenv"]); // the one of Alpine's tools that Debian's busybox lacks
    for (const [name, target] of [
      ["bin/nc", "nc.openbsd"],
      ["bin/sh", "bash"], // busybox's shell would run its own tools before all others
      ["local/bin/iperf", "../../bin/iperf"],
    ] as const)
      link(target, join(root, "usr", name));
    await busybox(root, "usr/bin");
    accounts(root);
  },
  /** nginx beside the base. */
  nginx: async (root, progress) => {
    mergedUsr(root);
    await packages(root, ["nginx-light"], progress);
    link("../sites-available/default", join(root, "etc/nginx/sites-enabled/default"));
    for (const folder of ["var/log/nginx", "run"]) mkdirSync(join(root, folder), { recursive: true });
  },
  agnhost: async (root, progress) => {
    await program(root, "agnhost", "agnhost", progress);
    link("agnhost", join(root, "agnhost-2"));
    mkdirSync(join(root, "uploads"));
    for (const file of ["localhost.crt", "localhost.key"]) await source(root, `agnhost/porter/${file}`, file);
  },
  pause: async (root, progress) => {
    await program(root, "agnhost", "agnhost", progress);
    link("agnhost", join(root, "pause"));
  },
  nautilus: picture("nautilus"),
  kitten: picture("kitten"),
  nonewprivs: async (root, progress) => {
    await program(root, "nonewprivs", "usr/local/bin/nnp", progress);
    chmodSync(join(root, "usr/local/bin/nnp"), 0o6755);
  },
  consumer: async (root, progress) => {
    await program(root, "resource-consumer", "consumer", progress);
    await program(root, "consume-cpu", "consume-cpu/consume-cpu", progress);
  },
  "regression-issue-74839": (root, progress) =>
    program(root, "regression-issue-74839", "regression-issue-74839", progress),
  "sample-apiserver": (root, progress) => program(root, "sample-apiserver", "sample-apiserver", progress),
  etcd: (root, progress) => program(root, "etcd", "usr/local/bin/etcd", progress),
  "echo-basic": (root, progress) => program(root, "echo-basic", "echo-basic", progress),
} satisfies Record<string, Fill>;

export type LayerName = keyof typeof LAYERS;

/** Writes the layer as a tar file into `folder` unless it is there; its path. */
export async function layer(name: LayerName, folder: string, progress: Progress): Promise<string> {
  const path = join(folder, `${name}.tar`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const root = mkdtempSync(join(folder, `${name}-`));
  try {
    chmodSync(root, 0o755);
    progress(`collecting the files of ${name}`);
    await LAYERS[name](root, progress);
    const times = ["--sort=name", "--mtime=@0", "--numeric-owner", "--owner=0", "--group=0"];
    await checked("tar", [...times, "-cf", `${path}.new`, "-C", root, "."]);
    renameSync(`${path}.new`, path);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return path;
}

/** The folders that Debian's packages and the image's other layers agree on. */
function mergedUsr(root: string): void {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(join(root, "usr", name), { recursive: true });
    symlinkSync(`usr/${name}`, join(root, name));
  }
}

async function busybox(root: string, folder: string): Promise<void> {
  await ensurePackages({ [BUSYBOX]: "busybox-static" });
  mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(BUSYBOX, join(root, folder, "busybox"));
  const { stdout } = await checked(BUSYBOX, ["--list"]);
  for (const applet of stdout.split("\n").filter((name) => name && name !== "busybox")) {
    const inPackages = ["bin", "usr/bin", "usr/sbin"].some((other) => present(join(root, other, applet)));
    if (!inPackages) link("busybox", join(root, folder, applet));
  }
  mkdirSync(join(root, "tmp"), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
}

/** The users and groups that tests ask for, agnhost's among them. */
function accounts(root: string): void {
  mkdirSync(join(root, "etc"), { recursive: true });
  for (const folder of ["root", "home/user-defined-in-image", "var/tmp"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(
    join(root, "etc/passwd"),
    [
      "root:x:0:0:root:/root:/bin/sh",
      "daemon:x:1:1:daemon:/usr/sbin:/bin/false",
      "www-data:x:33:33:www-data:/var/www:/bin/false",
      "user-defined-in-image:x:1000:1000::/home/user-defined-in-image:/bin/sh",
      "nobody:x:65534:65534:nobody:/:/bin/false\n",
    ].join("\n"),
  );
  writeFileSync(
    join(root, "etc/group"),
    [
      "root:x:0:",
      "daemon:x:1:",
      "www-data:x:33:",
      "user-defined-in-image:x:1000:",
      "group-defined-in-image:x:50000:user-defined-in-image",
      "nogroup:x:65534:\n",
    ].join("\n"),
  );
  writeFileSync(join(root, "etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
}

/** Unpacks Debian packages and all that they depend on. */
async function packages(root: string, names: readonly string[], progress: Progress): Promise<void> {
  progress(`fetching Debian packages: ${names.join(", ")}`);
  const soft = NO_SOFT_DEPENDENCIES.map((kind) => `--no-${kind}`);
  const { stdout } = await checked("apt-cache", ["depends", "--recurse", ...soft, ...names]);
  await unpack(root, new Set(stdout.split("\n").filter((line) => /^\w/.test(line) && !INSTALLERS.test(line))));
}

/** All files but those for people, or the `members` alone. Installation scripts do not run. */
async function unpack(root: string, names: Iterable<string>, members: readonly string[] = []): Promise<void> {
  const folder = mkdtempSync(`${root}-packages-`);
  try {
    chmodSync(folder, 0o777); // apt fetches as a user of its own
    await checked("apt-get", ["download", "-q", ...names], { cwd: folder });
    const left = ["doc", "man", "locale"].map((name) => `--exclude=./usr/share/${name}`);
    for (const file of readdirSync(folder)) {
      const script = 'deb=$1; shift; dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink "$@"';
      await checked("sh", ["-c", script, "sh", join(folder, file), ...left, "-C", root, ...members]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function program(root: string, name: UpstreamName, target: string, progress: Progress): Promise<void> {
  const path = join(root, target);
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(await upstreamProgram(name, progress), path);
  chmodSync(path, 0o755);
}

async function source(root: string, path: string, target: string): Promise<void> {
  copyFileSync(join(await kubernetesSource(), "test/images", path), join(root, target));
  chmodSync(join(root, target), 0o644);
}

function picture(name: "nautilus" | "kitten"): Fill {
  return async (root) => {
    for (const file of [`${name}.jpg`, "data.json"]) await source(root, `${name}/html/${file}`, file);
  };
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

function present(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
