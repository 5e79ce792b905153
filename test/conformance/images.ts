/** The images that the conformance suite names, under the names it wants, in one archive for `nerdctl load`. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { cachePath } from "../../agent/local/home.ts";
import type { Progress } from "../../agent/local/install.ts";
import { checked } from "../support/programs.ts";
import { KUBERNETES_VERSION } from "../support/upstream.ts";
import { type LayerName, layer } from "./layers.ts";

type Image = {
  tags: readonly string[];
  layers: readonly LayerName[];
  config: { Entrypoint?: string[]; Cmd?: string[]; User?: string };
};

const SUITE = "registry.k8s.io/e2e-test-images";
const AGNHOST = { Entrypoint: ["/agnhost"], Cmd: ["pause"] };
const NGINX = { Cmd: ["nginx", "-g", "daemon off;"] };

/** Names and versions are those of test/utils/image/manifest.go. Two versions of one content differ by a label. */
export const IMAGES: readonly Image[] = [
  { tags: [`${SUITE}/agnhost:2.59`], layers: ["base", "agnhost"], config: AGNHOST },
  { tags: [`${SUITE}/agnhost:2.55`], layers: ["base", "agnhost"], config: AGNHOST },
  { tags: [`${SUITE}/busybox:1.37.0-1`], layers: ["busybox"], config: { Cmd: ["sh"] } },
  { tags: [`${SUITE}/nginx:1.14-4`], layers: ["base", "nginx"], config: NGINX },
  { tags: [`${SUITE}/nginx:1.15-4`], layers: ["base", "nginx"], config: NGINX },
  { tags: [`${SUITE}/jessie-dnsutils:1.7`], layers: ["base"], config: { Cmd: ["bash"] } },
  { tags: [`${SUITE}/nonroot:1.4`], layers: ["base"], config: { Cmd: ["bash"], User: "1234" } },
  { tags: [`${SUITE}/nonewprivs:1.3`], layers: ["base", "nonewprivs"], config: { Cmd: ["nnp"] } },
  {
    tags: [`${SUITE}/nautilus:1.7`],
    layers: ["base", "agnhost", "nautilus"],
    config: { ...AGNHOST, Cmd: ["test-webserver"] },
  },
  {
    tags: [`${SUITE}/kitten:1.7`],
    layers: ["base", "agnhost", "kitten"],
    config: { ...AGNHOST, Cmd: ["test-webserver"] },
  },
  {
    tags: [`${SUITE}/resource-consumer:1.13`],
    layers: ["base", "consumer"],
    config: { Entrypoint: ["/consumer"] },
  },
  {
    tags: [`${SUITE}/regression-issue-74839:1.4`],
    layers: ["base", "regression-issue-74839"],
    config: { Entrypoint: ["/regression-issue-74839"] },
  },
  {
    tags: [`${SUITE}/sample-apiserver:1.29.2`],
    layers: ["base", "sample-apiserver"],
    config: { Entrypoint: ["/sample-apiserver"] },
  },
  { tags: ["registry.k8s.io/etcd:3.6.6-0"], layers: ["base", "etcd"], config: { Cmd: ["etcd"] } },
  { tags: ["registry.k8s.io/pause:3.10.1"], layers: ["pause"], config: { Entrypoint: ["/pause", "pause"] } },
];

/** Those of the Gateway API's suite. Only tests of UDPRoutes ask its name server, which are not served here: it sleeps. */
export const GATEWAY_IMAGES: readonly Image[] = [
  {
    tags: ["gcr.io/k8s-staging-gateway-api/echo-basic:v20260204-monthly-2026.01-60-g28382302"],
    layers: ["echo-basic"],
    config: { Entrypoint: ["/echo-basic"], User: "65532" },
  },
  {
    tags: ["registry.k8s.io/coredns/coredns:v1.12.2"],
    layers: ["busybox"],
    config: { Entrypoint: ["sh", "-c", "sleep infinity"] },
  },
];

/** Goes up when a layer comes to hold something else. */
const LAYERS_VERSION = 6;

/** Changes with what the images are made of, so that an archive of an older description is made anew. */
const fingerprint = (images: readonly Image[]) =>
  createHash("sha256").update(JSON.stringify(images)).digest("hex").slice(0, 12);

/** The path of the archive of these images; it is made when the cache does not hold it. */
export async function imageArchive(name: string, images: readonly Image[], progress: Progress): Promise<string> {
  const folder = join(cachePath(process.env), "upstream", KUBERNETES_VERSION, `images-${LAYERS_VERSION}`);
  const path = join(folder, `${name}-${fingerprint(images)}.tar`);
  if (existsSync(path)) return path;
  await checked("apt-get", ["update", "-q"]);
  const digests = new Map<LayerName, string>();
  for (const part of new Set(images.flatMap(({ layers }) => layers)))
    digests.set(part, await digestOf(await layer(part, folder, progress)));
  progress(`writing the archive of ${name}`);
  const archive = pack();
  const written = pipeline(archive, createWriteStream(`${path}.new`));
  for (const [part] of digests) await addFile(archive, `${part}.tar`, join(folder, `${part}.tar`));
  const manifest = images.map(({ tags, layers, config }, index) => {
    const description = {
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      config: {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Labels: { "dev.skerry.conformance": tags[0] },
        ...config,
      },
      rootfs: { type: "layers", diff_ids: layers.map((part) => `sha256:${digests.get(part)}`) },
    };
    archive.entry({ name: `${index}.json` }, JSON.stringify(description));
    return { Config: `${index}.json`, RepoTags: tags, Layers: layers.map((part) => `${part}.tar`) };
  });
  archive.entry({ name: "manifest.json" }, JSON.stringify(manifest));
  archive.finalize();
  await written;
  const isOlder = (file: string) => file.startsWith(`${name}-`) && file.endsWith(".tar");
  for (const old of readdirSync(folder).filter(isOlder)) rmSync(join(folder, old));
  renameSync(`${path}.new`, path);
  return path;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

function addFile(archive: ReturnType<typeof pack>, name: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = archive.entry({ name, size: statSync(path).size }, (error) => (error ? reject(error) : resolve()));
    createReadStream(path).on("error", reject).pipe(entry);
  });
}
