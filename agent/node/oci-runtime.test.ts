import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../process.ts";
import { HOSTNAME_VARIABLE, handlerNames, type OciRuntimes, ociRuntimes, SpecAnnotation } from "./oci-runtime.ts";

type Spec = {
  process: { user: { uid: number; gid: number; additionalGids: number[] }; env: string[] };
  hostname?: string;
  mounts: object[];
  annotations: Record<string, string>;
  linux: { namespaces: { type: string; path?: string }[]; maskedPaths?: string[] };
};

/** As nerdctl writes it, shortened. */
const spec = (annotations: Record<string, string>, user = { gid: 0, additionalGids: [0] }, env: string[] = []) => ({
  ociVersion: "1.2.0",
  process: { user: { uid: 1000, ...user }, args: ["sleep"], env },
  root: { path: "rootfs" },
  hostname: "web",
  mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
  hooks: {
    createRuntime: [{ path: "/nerdctl", args: ["createRuntime"], env: ["A=]}"] }],
    poststop: [{ path: "/nerdctl", args: ["postStop"], env: [] }],
  },
  annotations: { "nerdctl/hostname": "web", ...annotations },
  linux: {
    namespaces: [{ type: "pid" }, { type: "ipc" }, { type: "uts" }, { type: "mount" }],
    maskedPaths: ["/proc/acpi"],
    readonlyPaths: ["/proc/sys"],
  },
});

let folder: string;
let runtimes: OciRuntimes;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skerry-oci-"));
  runtimes = ociRuntimes(join(folder, "runtimes"), { echo: "echo", shim: "io.containerd.kata.v2" });
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What the runtime finds, whose arguments come as they were. */
async function handedOn(given: object): Promise<Spec> {
  writeFileSync(join(folder, "config.json"), JSON.stringify(given));
  const args = ["--root", "/run/it's", "create", "--bundle", folder, "--pid-file", "/x", "id"];
  const done = await run(runtimes.of("echo") ?? "", args);
  expect(done).toMatchObject({ code: 0, stdout: `${args.join(" ")}\n`, stderr: "" });
  return JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
}

test("the runtime says nothing but its own, though the folder that the shim lies in is gone", async () => {
  const gone = join(folder, "gone");
  const started = `mkdir ${gone}; cd ${gone}; rmdir ${gone}; exec ${runtimes.of("echo")} ps id`;
  expect(await run("sh", ["-c", started])).toMatchObject({ code: 0, stdout: "ps id\n", stderr: "" });
});

const { ipc, uts, group, onlyGroups, mounts, processLabel, mountLabel } = SpecAnnotation;

describe("a container's specification", () => {
  test.each([
    [
      [`${HOSTNAME_VARIABLE}=own \\"x", y`, "HOSTNAME=web", "A=1"],
      [`HOSTNAME=own \\"x", y`, "A=1"],
    ],
    [
      ["HOSTNAME=web", `A=,"HOSTNAME=b"`, `${HOSTNAME_VARIABLE}=`],
      [`A=,"HOSTNAME=b"`, "HOSTNAME="],
    ],
    [
      ["A=1", `${HOSTNAME_VARIABLE}=c`, "HOSTNAME=web"],
      ["A=1", "HOSTNAME=c"],
    ],
    [
      ["A=1", "HOSTNAME=web"],
      ["A=1", "HOSTNAME=web"],
    ],
  ])("with variables %j has %j", async (env, expected) => {
    const given = spec({}, undefined, env);
    const args = ["HOSTNAME=a", `"${HOSTNAME_VARIABLE}=a"`, `,"HOSTNAME=a"`];
    const { process } = await handedOn({ ...given, process: { user: given.process.user, args, env } });
    expect(process).toMatchObject({ args, env: expected });
  });

  test("without wishes keeps all but what is masked, and hooks", async () => {
    const { linux, ...rest } = await handedOn(spec({}));
    const { hooks: _, ...expected } = spec({});
    expect({ ...rest, linux: { ...linux, maskedPaths: ["/proc/acpi"] } }).toEqual(expected);
    expect(linux.maskedPaths).toEqual(expect.arrayContaining(["/proc/acpi", "/proc/interrupts", "/sys/firmware"]));
  });

  test("joins namespaces, which have their name already", async () => {
    const { linux, hostname } = await handedOn(spec({ [ipc]: "/run/a/ipc", [uts]: "/run/a/uts" }));
    expect(linux.namespaces).toEqual([
      { type: "pid" },
      { type: "ipc", path: "/run/a/ipc" },
      { type: "uts", path: "/run/a/uts" },
      { type: "mount" },
    ]);
    expect(hostname).toBeUndefined();
  });

  test("leaves out what is the machine's", async () => {
    const { linux, hostname } = await handedOn(spec({ [ipc]: "host", [uts]: "host" }));
    expect(linux.namespaces).toEqual([{ type: "pid" }, { type: "mount" }]);
    expect(hostname).toBeUndefined();
  });

  test.each([
    [{ gid: 0, additionalGids: [0] }, { [group]: "7000" }, 7000, [7000]],
    [{ gid: 1, additionalGids: [1, 50, 60] }, { [group]: "7000" }, 7000, [7000, 50, 60]],
    [{ gid: 1, additionalGids: [10, 1] }, { [group]: "7000" }, 7000, [7000, 10, 1]],
    [{ gid: 1, additionalGids: [1, 50, 7000, 50] }, { [group]: "7000" }, 7000, [7000, 50]],
    [{ gid: 1, additionalGids: [1, 50] }, { [onlyGroups]: "60,70" }, 1, [1, 60, 70]],
    [{ gid: 1, additionalGids: [1, 50] }, { [onlyGroups]: "" }, 1, [1]],
    [{ gid: 1, additionalGids: [1, 50, 50, 1] }, {}, 1, [1, 50]],
  ])("with the groups %j and %j", async (user, annotations, gid, additionalGids) => {
    const { process } = await handedOn(spec(annotations, user));
    expect(process.user).toEqual({ uid: 1000, gid, additionalGids });
  });

  test("is not changed by what looks like its fields in texts of users", async () => {
    const text = JSON.stringify({ [group]: "1", [ipc]: "/etc", additionalGids: [9, 9], maskedPaths: [] });
    const { process, linux } = await handedOn(spec({}, undefined, [`A=${text}`, `B="${group}":"1"`]));
    expect(process).toMatchObject({ user: { gid: 0 }, env: [`A=${text}`, `B="${group}":"1"`] });
    expect(linux.namespaces[1]).toEqual({ type: "ipc" });
  });

  test("has mounts that nerdctl did not take", async () => {
    const added = [
      { destination: "/a b", type: "bind", source: '/x"],"annotations":\\y', options: ["rbind", "ro"] },
      { destination: "/c", type: "bind", source: "/|#&$\\u00e9\\n", options: ["rbind"] },
    ];
    const given = spec({ [mounts]: JSON.stringify(added).slice(1, -1), "z/after": '],"x' });
    expect((await handedOn(given)).mounts).toEqual([...given.mounts, ...added]);
  });

  test("has SELinux labels", async () => {
    const [process, mount] = ["a_u:b_r:c_t:s0:c1,c2", `a_u:object_r:"\\d":s0`];
    const done = await handedOn(spec({ [processLabel]: process, [mountLabel]: mount }));
    expect(done.process).toEqual({ ...spec({}).process, selinuxLabel: process });
    expect(done.linux).toMatchObject({ ...spec({}).linux, mountLabel: mount, maskedPaths: expect.anything() });
  });

  test("of a privileged container hides nothing", async () => {
    const { maskedPaths: _, ...linux } = spec({}).linux;
    expect((await handedOn({ ...spec({}), linux })).linux).toEqual(linux);
  });
});

test("a handler is a program, a shim of containerd's, or none", () => {
  expect(runtimes.of("shim")).toBe("io.containerd.kata.v2");
  expect(runtimes.of("unheard-of")).toBeUndefined();
  expect(runtimes.of("")).toMatch(/runtimes\/oci-default$/);
  expect(handlerNames({ shim: "io.containerd.kata.v2" })).toEqual(["", "runc", "shim"]);
});
