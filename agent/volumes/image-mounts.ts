import { mkdirSync } from "node:fs";
import { run } from "../process.ts";

/** Shows images of the container runtime as folders. */
export interface ImageMounts {
  /** Makes the files of an image be at `place`, read-only; the image stays for as long. */
  mount(image: string, place: string): Promise<void>;
  /** Safe to repeat. */
  unmount(place: string): Promise<void>;
}

/** Keeps a snapshot from being collected. https://github.com/containerd/containerd/blob/main/docs/garbage-collection.md */
const KEPT = "containerd.io/gc.root";
const TIMEOUT_MS = 60_000;

/** By containerd's own client: nerdctl has no command for it. `image` is its name in containerd. */
export function containerdImages(address: string, namespace: string): ImageMounts {
  const ctr = async (...args: string[]) => {
    const command = ["--address", address, "--namespace", namespace, ...args];
    const done = await run("ctr", command, { timeoutMs: TIMEOUT_MS });
    if (done.code !== 0) throw new Error(done.stderr.trim().replace(/^ctr: /, "") || `ctr ended with ${done.code}`);
  };
  const unmount = (place: string) => ctr("images", "unmount", "--rm", place);
  return {
    async mount(image, place) {
      mkdirSync(place, { recursive: true });
      await unmount(place).catch(() => {}); // of an agent that died in between
      await ctr("images", "mount", image, place);
      await ctr("snapshots", "label", place, `${KEPT}=true`);
    },
    async unmount(place) {
      await unmount(place).catch((error: Error) => {
        if (!/not found/.test(error.message)) throw error;
      });
    },
  };
}
