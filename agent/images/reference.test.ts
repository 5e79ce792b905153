import { expect, test } from "vitest";
import {
  canonicalName,
  defaultPullPolicy,
  fullName,
  imageNameProblem,
  parseReference,
  taggedName,
} from "./reference.ts";

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
  [`app@sha256:${"a".repeat(40)}`, "invalid checksum digest length"],
  [`app@md5:${"a".repeat(32)}`, "unsupported digest algorithm"],
  [hash, `invalid repository name (${hash}), cannot specify 64-byte hexadecimal strings`],
  [`${"a".repeat(256)}/b`, "repository name must not be more than 255 characters"],
  ["a-".repeat(100_000), "invalid reference format"],
])("%s may not", (name, why) => {
  expect(imageNameProblem(name)).toBe(why);
});

test.each([
  ["busybox", "docker.io/library/busybox:latest"],
  ["busybox:1.36", "docker.io/library/busybox:1.36"],
  ["someone/app", "docker.io/someone/app:latest"],
  ["docker.io/app", "docker.io/library/app:latest"],
  ["index.docker.io/app", "docker.io/library/app:latest"],
  ["registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"],
  ["localhost:5000/app", "localhost:5000/app:latest"],
  [`busybox@sha256:${hash}`, `docker.io/library/busybox@sha256:${hash}`],
  [`a.io/busybox:1@sha256:${hash}`, `a.io/busybox@sha256:${hash}`],
])("%s is %s to containerd", (image, name) => {
  expect(canonicalName(image)).toBe(name);
});

test.each([
  ["busybox", "docker.io/library/busybox:latest"],
  [`busybox@sha256:${hash}`, undefined],
  [`sha256:${hash}`, undefined],
  ["0123456789ab", undefined],
])("a container run by %s shows %s", (image, name) => {
  expect(taggedName(image)).toBe(name);
});

test.each([
  ["busybox", "Always"],
  ["busybox:latest", "Always"],
  ["localhost:5000/app", "Always"],
  ["busybox:1.36", "IfNotPresent"],
  ["busybox:latest-2", "IfNotPresent"],
  [`busybox@sha256:${hash}`, "IfNotPresent"],
  [`busybox:latest@sha256:${hash}`, "Always"],
])("%s is pulled %s, unless its pod says otherwise", (image, policy) => {
  expect(defaultPullPolicy(image)).toBe(policy);
});

test("the parts of a name", () => {
  expect(parseReference(`localhost:5000/a/b:1@sha256:${hash}`)).toEqual({
    domain: "localhost:5000",
    repository: "localhost:5000/a/b",
    tag: "1",
    digest: `sha256:${hash}`,
  });
  expect(fullName("someone/app@sha256:1")).toBe("docker.io/someone/app@sha256:1");
  expect(() => parseReference("A")).toThrow(
    'couldn\'t parse image name "A": invalid reference format: repository name',
  );
});
