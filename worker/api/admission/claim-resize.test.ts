import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";

test("a claim may grow when it is bound and its class lets it", async () => {
  const { ask } = await testCluster();
  await ask("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const claims = "/api/v1/namespaces/default/persistentvolumeclaims";
  const classes = "/apis/storage.k8s.io/v1/storageclasses";
  await ask("POST", classes, { metadata: { name: "fixed" }, provisioner: "x" });
  const claim = (storage: string) => ({
    metadata: { name: "c" },
    spec: { storageClassName: "fixed", accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
  });
  await ask("POST", claims, claim("1Gi"));
  const patch = { "content-type": "application/merge-patch+json" };
  await ask("PATCH", `${claims}/c/status`, { status: { phase: "Bound" } }, patch);
  const grow = () => ask("PATCH", `${claims}/c`, { spec: { resources: { requests: { storage: "2Gi" } } } }, patch);
  expect((await grow()).body.message).toContain(
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
  );
  await ask("PATCH", `${classes}/fixed`, { allowVolumeExpansion: true }, patch);
  expect((await grow()).code).toBe(200);
});
