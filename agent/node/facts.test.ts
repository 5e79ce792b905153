import { expect, test } from "vitest";
import { nodeStatus } from "./facts.ts";
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
