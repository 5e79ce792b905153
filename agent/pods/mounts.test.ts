import { expect, test } from "vitest";
import { mountFlags } from "./mounts.ts";

const mount = (n: number) => ({ source: `/var/lib/pods/volume-${n}`, target: `/etc/volume-${n}` });

test("mounts are flags, what lies deep after what it may lie in", () => {
  const mounts = [
    { source: "/b", target: "/a/b", readOnly: true, recursive: true },
    { source: "/a", target: "/a", propagation: "rshared" as const },
    { source: "/c", target: "/c/d/", readOnly: true },
  ];
  expect(mountFlags(mounts)).toEqual([
    "-v",
    "/a:/a:rshared",
    "-v",
    "/b:/a/b:rro,rprivate",
    "-v",
    "/c:/c/d/:ro,rprivate",
  ]);
});

test("those that nerdctl's list has no room for are told to the runtime, all in ASCII", () => {
  const flags = mountFlags([
    ...Array.from({ length: 50 }, (_, n) => mount(n)),
    { source: '/é"<', target: "/deep/er/é" },
  ]);
  const [listed, [annotation, ...rest]] = [
    flags.filter((flag) => flag === "-v"),
    flags.slice(flags.indexOf("--annotation") + 1),
  ];
  expect(rest).toEqual([]);
  const [, name, text] = /^(.*?)=(.*)$/.exec(annotation ?? "") ?? [];
  expect(name).toBe("skerry.dev/mounts");
  expect(text).toMatch(/^[ -~]*$/);
  const added = JSON.parse(`[${text}]`) as { destination: string }[];
  expect(listed.length + added.length).toBe(51);
  expect(listed.length).toBeGreaterThan(15);
  expect(added.at(-1)).toEqual({
    destination: "/deep/er/é",
    type: "bind",
    source: '/é"<',
    options: ["rbind", "rprivate"],
  });
});
