import { expect, test } from "vitest";
import { canonicalName } from "./images.ts";

test.each([
  ["busybox", "docker.io/library/busybox:latest"],
  ["busybox:1.36", "docker.io/library/busybox:1.36"],
  ["someone/app", "docker.io/someone/app:latest"],
  ["registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"],
  ["localhost:5000/app", "localhost:5000/app:latest"],
  [`busybox@sha256:${"a".repeat(64)}`, undefined],
  [`sha256:${"a".repeat(64)}`, undefined],
  ["0123456789ab", undefined],
])("%s is %s to containerd", (image, name) => {
  expect(canonicalName(image)).toBe(name);
});
