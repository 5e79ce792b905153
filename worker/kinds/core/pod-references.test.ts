import { expect, test } from "vitest";
import { podImages, podReferences } from "./pod-references.ts";

test("a pod mentions objects in env, envFrom, volumes, projections, pull secrets and by its account", () => {
  const found = podReferences({
    spec: {
      serviceAccountName: "robot",
      imagePullSecrets: [{ name: "registry" }],
      initContainers: [
        { name: "i", envFrom: [{ configMapRef: { name: "cm-env" } }, { secretRef: { name: "s-env" } }] },
      ],
      containers: [
        {
          name: "c",
          env: [
            { name: "A", valueFrom: { configMapKeyRef: { name: "cm-key", key: "k" } } },
            { name: "B", valueFrom: { secretKeyRef: { name: "s-key", key: "k" } } },
            { name: "C", value: "plain" },
          ],
        },
      ],
      volumes: [
        { name: "a", configMap: { name: "cm-volume" } },
        { name: "b", secret: { secretName: "s-volume" } },
        { name: "c", persistentVolumeClaim: { claimName: "disk" } },
        { name: "d", projected: { sources: [{ configMap: { name: "cm-source" } }, { secret: { name: "s-source" } }] } },
        { name: "e", emptyDir: {} },
      ],
    },
  });
  expect([...found.configmaps].toSorted()).toEqual(["cm-env", "cm-key", "cm-source", "cm-volume"]);
  expect([...found.secrets].toSorted()).toEqual(["registry", "s-env", "s-key", "s-source", "s-volume"]);
  expect([...found.persistentvolumeclaims]).toEqual(["disk"]);
  expect([...found.serviceaccounts]).toEqual(["robot"]);
});

test("a pod's images are those of its containers of all sorts, and of its volumes", () => {
  const images = podImages({
    spec: {
      containers: [{ name: "c", image: "c:1" }],
      initContainers: [{ name: "i", image: "i:1" }],
      ephemeralContainers: [{ name: "e", image: "e:1" }],
      volumes: [
        { name: "v", image: { reference: "v:1" } },
        { name: "w", emptyDir: {} },
      ],
    },
  });
  expect(images.toSorted()).toEqual(["c:1", "e:1", "i:1", "v:1"]);
});

test("what is no pod yet mentions nothing", () => {
  expect(podImages({})).toEqual([]);
  expect(podReferences({}).secrets.size).toBe(0);
});
