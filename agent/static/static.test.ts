import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { effects } from "../effects.ts";
import type { Api } from "../volumes/tokens.ts";
import { isStatic, mirrored } from "./annotations.ts";
import { StaticFolder } from "./folder.ts";
import { readManifest } from "./manifest.ts";
import { Mirrors } from "./mirrors.ts";

const place = { path: "/manifests/web.yaml", node: "node-a", seen: "2026-01-01T00:00:00Z" };
const manifest = (more = "", image = "web:1") => `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers: [{ name: web, image: "${image}" }]
${more}`;

describe("a manifest", () => {
  test("is a pod of its node, with the API's defaults", async () => {
    const pod = await readManifest(manifest(), place);
    const hash = pod.metadata.uid ?? "";
    expect(pod.metadata).toMatchObject({
      name: "web-node-a",
      namespace: "default",
      annotations: {
        "kubernetes.io/config.hash": hash,
        "kubernetes.io/config.seen": place.seen,
        "kubernetes.io/config.source": "file",
      },
    });
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(pod.spec).toMatchObject({
      nodeName: "node-a",
      restartPolicy: "Always",
      tolerations: [{ operator: "Exists", effect: "NoExecute" }],
    });
    expect(isStatic(pod)).toBe(true);
  });
  test("that says something else, or lies elsewhere, is another pod", async () => {
    const uids = await Promise.all([
      readManifest(manifest(), place),
      readManifest(manifest("", "web:2"), place),
      readManifest(manifest(), { ...place, path: "/manifests/other.yaml" }),
    ]);
    expect(new Set(uids.map(({ metadata }) => metadata.uid)).size).toBe(3);
  });
  test.each([
    ["kind: ConfigMap", /couldn't parse as pod/],
    [manifest().replace("name: web", "labels: {}"), /name is needed/],
    [manifest().replace("image:", "imagePullPolicy: Sometimes, image:"), /^invalid pod: /],
    [manifest("  volumes: [{ name: c, configMap: { name: c } }]"), /may not reference configmaps/],
    [manifest("  serviceAccountName: admin"), /may not reference serviceaccounts/],
  ])("%# that a kubelet refuses is refused", async (text, why) => {
    await expect(readManifest(text, place)).rejects.toThrow(why);
  });
});

describe("a folder", () => {
  let path = "";
  let folder: StaticFolder | undefined;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "skerry-static-"));
  });
  afterEach(() => {
    folder?.stop();
    rmSync(path, { recursive: true });
  });
  const images = () => [...(folder?.pods.values() ?? [])].map(({ spec }) => spec.containers[0]?.image);
  async function started() {
    const changes: (() => void)[] = [];
    const onChange = () => changes.splice(0).forEach((resolve) => void resolve());
    folder = new StaticFolder({ path, node: "n", effects, onChange, log: () => {} });
    await folder.start();
    return (act: () => void) => {
      const changed = new Promise<void>((resolve) => changes.push(resolve));
      act();
      return changed;
    };
  }
  test("has the pods of its files, as they come, change and go", async () => {
    writeFileSync(join(path, "a.yaml"), manifest());
    writeFileSync(join(path, ".a.yaml.swp"), manifest("", "hidden:1"));
    const changedBy = await started();
    expect(images()).toEqual(["web:1"]);
    await changedBy(() => writeFileSync(join(path, "a.yaml"), manifest("", "web:2")));
    expect(images()).toEqual(["web:2"]);
    await changedBy(() => rmSync(join(path, "a.yaml")));
    expect(images()).toEqual([]);
  });
  test("keeps what a file said last while it makes no sense", async () => {
    writeFileSync(join(path, "a.yaml"), manifest());
    writeFileSync(join(path, "b.yaml"), "kind: Nonsense");
    const changedBy = await started();
    await changedBy(() => {
      writeFileSync(join(path, "a.yaml"), "kind: Po");
      writeFileSync(join(path, "b.yaml"), manifest("", "b:1"));
    });
    expect(images()).toEqual(["web:1", "b:1"]);
  });
});

describe("what stands for static pods in the API", () => {
  async function cluster() {
    const asked: string[] = [];
    const made: CoreV1Pod[] = [];
    const api: Api = async (method, path, body) => {
      const options = body as { preconditions?: { uid: string } };
      asked.push(`${method} ${path.split("/").at(-1)}${options.preconditions ? ` ${options.preconditions.uid}` : ""}`);
      if (method === "POST") made.push(body as unknown as CoreV1Pod);
      return { code: 201, body: {} };
    };
    const mirrors = new Mirrors({ node: "n", api, nodeUid: () => "node-uid", log: () => {} });
    const pod = await readManifest(manifest(), { ...place, node: "n" });
    mirrors.sync([pod], [], () => false);
    await effects.sleep(0);
    const mirror = { ...(made[0] as CoreV1Pod) };
    mirror.metadata = { ...mirror.metadata, uid: "m1" };
    const sync = async (pods: CoreV1Pod[], told: CoreV1Pod[], ends = false) => {
      asked.length = 0;
      mirrors.sync(pods, told, () => ends);
      await effects.sleep(0);
      return [...asked];
    };
    return { sync, pod, mirror };
  }
  test("is made, as the node's own", async () => {
    const { sync, pod, mirror } = await cluster();
    expect(mirrored(mirror)).toBe(pod.metadata.uid);
    expect(mirror.metadata.ownerReferences).toEqual([
      { apiVersion: "v1", kind: "Node", name: "n", uid: "node-uid", controller: true },
    ]);
    expect(await sync([pod], [mirror])).toEqual([]);
  });
  test("is replaced when somebody deletes it, or the pod is another one now", async () => {
    const { sync, pod, mirror } = await cluster();
    const metadata = { ...mirror.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
    expect(await sync([pod], [{ ...mirror, metadata }])).toEqual(["DELETE web-n m1"]);
    const other = await readManifest(manifest("", "web:2"), { ...place, node: "n" });
    expect(await sync([other], [mirror])).toEqual(["DELETE web-n m1"]);
    expect(await sync([other], [])).toEqual(["POST pods"]);
  });
  test("goes with it, once it has ended", async () => {
    const { sync, mirror } = await cluster();
    expect(await sync([], [mirror], true)).toEqual([]);
    expect(await sync([], [mirror])).toEqual(["DELETE web-n m1"]);
  });
});
