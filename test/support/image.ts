import { createHash } from "node:crypto";
import { createWriteStream, readFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

/** The programs of busybox that tests use in containers. */
const APPLETS =
  `sh sleep cat ls echo id env head tail httpd nc wget kill mkdir rm touch stat hostname ps true false mount
test date tar wc seq yes dd find grep sed awk tr sort nslookup ping ip stty tty timeout sha256sum df free nproc readlink
chmod cp mv`.split(/\s+/);

export const BUSYBOX_IMAGE = "docker.io/library/busybox:test";

export type ImageOptions = {
  tag?: string;
  busybox?: string;
  /** Static programs of this machine to put into /bin, by name. */
  programs?: Record<string, string>;
  /** Other files of this machine, by their path in the image. */
  files?: Record<string, string>;
  entrypoint?: readonly string[];
  /** Whom its containers run as, unless the pod says otherwise. */
  user?: string;
  /** Lines of /etc/passwd and /etc/group beside root's. */
  users?: string;
  groups?: string;
  /** Folders that the image calls volumes. */
  volumes?: readonly string[];
};

/** Writes a docker archive whose image holds the machine's own static busybox; no registry is needed. */
export async function writeBusyboxImage(path: string, options: ImageOptions = {}): Promise<void> {
  const layer = pack();
  for (const folder of ["bin/", "tmp/", "etc/", "proc/", "dev/", "sys/"])
    layer.entry({ name: folder, type: "directory", mode: folder === "tmp/" ? 0o1777 : 0o755 });
  layer.entry({ name: "bin/busybox", mode: 0o755 }, readFileSync(options.busybox ?? "/bin/busybox"));
  for (const applet of APPLETS) layer.entry({ name: `bin/${applet}`, type: "symlink", linkname: "busybox" });
  for (const [name, program] of Object.entries(options.programs ?? {}))
    layer.entry({ name: `bin/${name}`, mode: 0o755 }, readFileSync(program));
  for (const [name, file] of Object.entries(options.files ?? {}))
    layer.entry({ name: name.replace(/^\//, ""), mode: 0o755 }, readFileSync(file));
  layer.entry({ name: "etc/passwd" }, `root:x:0:0:root:/:/bin/sh\n${options.users ?? ""}`);
  if (options.groups) layer.entry({ name: "etc/group" }, `root:x:0:\n${options.groups}`);
  const layerTar = await collect(layer);
  const volumes = options.volumes && { Volumes: Object.fromEntries(options.volumes.map((folder) => [folder, {}])) };
  const config = JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: {
      Env: ["PATH=/bin"],
      ...(options.entrypoint ? { Entrypoint: options.entrypoint } : { Cmd: ["sh"] }),
      ...(options.user && { User: options.user }),
      ...volumes,
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(layerTar).digest("hex")}`] },
  });
  const tag = options.tag ?? BUSYBOX_IMAGE;
  const archive = pack();
  archive.entry({ name: "layer.tar" }, layerTar);
  archive.entry({ name: "config.json" }, config);
  archive.entry(
    { name: "manifest.json" },
    JSON.stringify([{ Config: "config.json", RepoTags: [tag], Layers: ["layer.tar"] }]),
  );
  await pipeline([await collect(archive)], createWriteStream(path));
}

async function collect(archive: ReturnType<typeof pack>): Promise<Buffer> {
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
