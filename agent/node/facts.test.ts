import { expect, test } from "vitest";
import { fleetingAddresses, nodeStatus } from "./facts.ts";
import { settingsOf } from "./settings.ts";

test("a Node names each image once by tag and digest, the largest first", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const { images } = nodeStatus({
    name: "n",
    folder: "/",
    containerdVersion: "1",
    now: 0,
    conditions: [],
    pressures: [],
    settings: settingsOf(),
    recursiveReadOnly: false,
    images: [
      { Id: "1", Size: 10, RepoTags: ["small:1"] },
      { Id: "2", Size: 20, RepoTags: ["web:1", "web:2"], RepoDigests: [`web@${digest}`, `web@${digest}`] },
    ],
  });
  expect(images).toEqual([
    {
      names: [`docker.io/library/web@${digest}`, "docker.io/library/web:1", "docker.io/library/web:2"],
      sizeBytes: 20,
    },
    { names: ["docker.io/library/small:1"], sizeBytes: 10 },
  ]);
});

test("a Node is told at no address that goes again, or is not there yet", () => {
  const rows = [
    "20010db8000000000000000000000001 04 40 00 80     eth0", // for ever
    "20010db800000000000000000000000a 04 40 00 00     eth0", // of a router, and kept
    "20010db8000000000000000000000002 04 40 00 01     eth0", // temporary
    "20010db8000000000000000000000003 04 40 00 20     eth0", // deprecated
    "20010db8000000000000000000000004 04 40 00 c0     eth0", // tentative
    "20010db8000000000000000000000005 04 40 00 88     eth0", // another machine's too
  ];
  expect([...fleetingAddresses(rows.join("\n"))]).toEqual([2, 3, 4, 5].map((n) => `2001:db8::${n}`));
  expect(fleetingAddresses("").size).toBe(0); // as where the kernel has no IPv6
});
