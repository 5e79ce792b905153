import { expect, test } from "vitest";
import { imageNameProblem } from "./image-name.ts";

const hash = "a".repeat(64);

test.each([
  "busybox",
  "busybox:1.36",
  "someone/my__app-1.x:v1_2",
  "registry.k8s.io/e2e/agnhost:2.59",
  "localhost:5000/app",
  "[::1]:5000/app:x",
  "Registry/app",
  `busybox@sha256:${hash}`,
  `registry.example.com/busybox:1@sha256:${hash}`,
  `sha256:${hash}`,
])("%s may be an image's name", (name) => {
  expect(imageNameProblem(name)).toBeUndefined();
});

test.each([
  ["Nginx", "invalid reference format: repository name (library/Nginx) must be lowercase"],
  ["nginx:", "invalid reference format"],
  ["BAD//x", "invalid reference format"],
  ["https://example.com/x", "invalid reference format"],
  ["a b", "invalid reference format"],
  ["app:bad tag", "invalid reference format"],
  [`app@sha256:${"a".repeat(8)}`, "invalid reference format"],
  [hash, `invalid repository name (${hash}), cannot specify 64-byte hexadecimal strings`],
  [`${"a".repeat(256)}/b`, "repository name must not be more than 255 characters"],
  ["a-".repeat(100_000), "invalid reference format"],
])("%s may not", (name, why) => {
  expect(imageNameProblem(name)).toBe(why);
});
