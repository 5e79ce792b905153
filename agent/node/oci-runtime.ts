/**
 * The OCI runtimes of a node: runc, and what RuntimeClasses name. nerdctl hands over a container's specification that
 * lacks what it has no flag for. A shell script between containerd and the runtime adds that by one sed before the
 * container is created; it costs three milliseconds, and no process stays.
 * https://github.com/opencontainers/runtime-spec/blob/main/config.md
 */
import { existsSync, mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { keepFile } from "../local/home.ts";

/** What a container's annotations tell the script. All but mounts and labels are paths of ours and numbers, without escapes. */
export const SpecAnnotation = {
  /** The file that stands for the IPC namespace to join, or `host`. */
  ipc: "skerry.dev/ipc",
  /** The file that stands for the UTS namespace to join, which has its name already, or `host`. */
  uts: "skerry.dev/uts",
  /** The primary group, in place of the one that the image gives the user. */
  group: "skerry.dev/group",
  /** Numbers of the groups beside the primary one, joined by commas: the image's are left out. */
  onlyGroups: "skerry.dev/only-groups",
  /** Mounts beside those in the specification, as it would list them. */
  mounts: "skerry.dev/mounts",
  /** SELinux labels, of the process and of the container's files. */
  processLabel: "skerry.dev/process-label",
  mountLabel: "skerry.dev/mount-label",
} as const;

/** The variable that becomes `HOSTNAME`, which nerdctl sets whatever it is told. */
export const HOSTNAME_VARIABLE = "skerry.dev/HOSTNAME";

/** By the handler that a RuntimeClass names: a program that works as runc does, or a shim of containerd's (`io.containerd.…`). */
export type RuntimeHandlers = Readonly<Record<string, string>>;

/** Which handlers a node has, without being told of more: what a RuntimeClass cannot name, and containerd's usual one. */
const BUILT_IN: RuntimeHandlers = { "": "runc", runc: "runc" };

export const handlerNames = (configured: RuntimeHandlers): string[] => Object.keys({ ...BUILT_IN, ...configured });

export interface OciRuntimes {
  /** What `nerdctl run --runtime` takes; undefined for a handler that the node does not have. */
  of(handler: string): string | undefined;
}

/** Writes a script for each runtime into `folder`. Containers remember its path, so it stays the same. */
export function ociRuntimes(folder: string, configured: RuntimeHandlers = {}): OciRuntimes {
  mkdirSync(folder, { recursive: true });
  const rules = join(folder, "spec.sed");
  keepFile(rules, `${specRules(maskedPaths()).join("\n")}\n`);
  const written = new Map<string, string>();
  for (const [handler, runtime] of Object.entries({ ...BUILT_IN, ...configured }))
    written.set(
      handler,
      isShim(runtime) ? runtime : writeScript(join(folder, `oci-${handler || "default"}`), rules, runtime),
    );
  return { of: (handler) => written.get(handler) };
}

const isShim = (runtime: string) => runtime.startsWith("io.containerd.");

/**
 * A shim lies in the folder of its first container, which goes with that one: a shell that starts there complains, and
 * containerd takes that for the runtime's answer.
 */
const SHELL_ELSEWHERE = "/usr/bin/env -S -C / sh";

function writeScript(path: string, rules: string, runtime: string): string {
  const script = `#!${SHELL_ELSEWHERE}
last= bundle= process=
for word do
  case $last in --bundle) bundle=$word ;; --process) process=$word ;; esac
  last=$word
done
if [ -n "$bundle" ]; then sed -E -i -f ${quote(rules)} "$bundle/config.json" || exit 1; fi
if [ -n "$process" ]; then
  read -r spec <"$process"
  case $spec in *'"${HOSTNAME_VARIABLE}='*) sed -E -i -f ${quote(rules)} "$process" || exit 1 ;; esac
fi
exec ${quote(runtime)} "$@"
`;
  keepFile(path, script, 0o755);
  return path;
}

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * For sed -E. The specification is one line, in Go's order of fields: process, hostname, mounts, annotations, linux. A
 * double quote inside of a text has a backslash before it, so nothing that a user wrote looks like a field.
 */
export function specRules(masked: readonly string[]): string[] {
  const { ipc, uts, group, onlyGroups, mounts, processLabel, mountLabel } = SpecAnnotation;
  const namespace = (name: string, type: string) => [
    `s|("${name}":"host".*)\\{"type":"${type}"\\},|\\1|`,
    `s|("${name}":"(/[^"]*)".*\\{"type":"${type}")\\}|\\1,"path":"\\2"}|`,
  ];
  const gid = '"gid":([0-9]+),"additionalGids":\\[';
  return [
    ...namespace(ipc, "ipc"),
    ...namespace(uts, "uts"),
    `/"${uts.replace("/", "\\/")}":/s|,"hostname":"[^"]*"||`,
    // The image's group leaves the others, where nerdctl put it first.
    `s|${gid}\\1([],].*"${group}":)|"gid":\\1,"additionalGids":[\\2|`,
    `s|${gid},?(.*"${group}":"([0-9]+)")|"gid":\\3,"additionalGids":[\\3,\\2|`,
    `s|${gid}[0-9,]*\\](.*"${onlyGroups}":"([0-9,]*)")|"gid":\\1,"additionalGids":[\\1,\\3]\\2|`,
    's|("additionalGids":\\[[0-9,]*),\\]|\\1]|',
    // Those of nerdctl set up networks that pods do not have, at the cost of a nerdctl at each start and end.
    's|,"hooks":\\{"createRuntime":\\[.*\\]\\},"annotations":|,"annotations":|',
    // The mounts' own text goes before all else for a moment, and loses one layer of escapes.
    `/"${mounts.replace("/", "\\/")}":"/{`,
    "h",
    `s#.*"${mounts}":"(([^"\\\\]|\\\\.)*)".*#\\1#`,
    "s|\\\\(.)|\\1|g",
    "G",
    's|^([^\\n]*)\\n(.*)(\\],"annotations":)|\\2,\\1\\3|',
    "}",
    `s#"process":\\{(.*"${processLabel}":"(([^"\\\\]|\\\\.)*)")#"process":{"selinuxLabel":"\\2",\\1#`,
    `s#("${mountLabel}":"(([^"\\\\]|\\\\.)*)".*"linux":\\{)#\\1"mountLabel":"\\2",#`,
    // Nobody is in a group twice.
    ":again",
    's|("additionalGids":\\[([0-9]+,)*([0-9]+)(,[0-9]+)*),\\3([],])|\\1\\5|',
    "t again",
    // Arguments come before variables and may look like them, so what is last counts.
    `/[[,]"${HOSTNAME_VARIABLE.replace("/", "\\/")}=/{`,
    "t clear",
    ":clear",
    's|"env":\\["HOSTNAME=[^"]*",|"env":[|',
    "t rename",
    's|(.*),"HOSTNAME=[^"]*"|\\1|',
    ":rename",
    `s|(.*[[,])"${HOSTNAME_VARIABLE}=|\\1"HOSTNAME=|`,
    "}",
    // A privileged container has none.
    `s|"maskedPaths":\\[[^]]*\\]|"maskedPaths":${JSON.stringify(masked)}|`,
  ];
}

/** What containers do not see, as the kubelet has it: more than nerdctl's. */
function maskedPaths(): string[] {
  const heat = Array.from(
    { length: availableParallelism() },
    (_, n) => `/sys/devices/system/cpu/cpu${n}/thermal_throttle`,
  );
  return [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
    ...heat.filter(existsSync),
  ];
}
