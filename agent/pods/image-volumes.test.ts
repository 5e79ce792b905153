import { expect, test } from "vitest";
import { imageVolumes, volumeImage } from "./image-volumes.ts";
import { somePod } from "./testing.ts";

test("of a pod's images, those count that the container mounts, each once", () => {
  const image = { reference: "tools:1", pullPolicy: "Never" };
  const pod = somePod({
    volumes: [
      { name: "tools", image },
      { name: "other", image: { reference: "other" } },
      { name: "scratch", emptyDir: {} },
    ],
  });
  const mounts = (...names: string[]) => names.map((name, i) => ({ name, mountPath: `/${i}` }));
  const of = (...names: string[]) => imageVolumes(pod, { name: "app", volumeMounts: mounts(...names) });
  expect(of("tools", "scratch", "tools")).toEqual([{ volume: "tools", reference: "tools:1", pullPolicy: "Never" }]);
  expect(of("scratch")).toEqual([]);
  expect(imageVolumes(pod, { name: "app" })).toEqual([]);
});

test("an image is called as containerd calls it", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const named = (reference: string) => volumeImage(reference, { Id: "sha256:1" });
  expect(named("tools")).toEqual({ id: "sha256:1", name: "docker.io/library/tools:latest" });
  expect(named(`host.example/a/tools:1@${digest}`).name).toBe(`host.example/a/tools@${digest}`);
});
