import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Nerdctl } from "../nerdctl.ts";

/** The image of the container that holds a pod's namespaces. It comes from no registry: it is written here. */
export const PAUSE_IMAGE = "skerry.dev/pause:1";

/** Makes sure that this node's containerd has the image. */
export async function loadPauseImage(nerdctl: Nerdctl): Promise<void> {
  if (await nerdctl.inspectImage(PAUSE_IMAGE)) return;
  const { writePauseImage } = await import("./pause-archive.ts"); // once in a node's life, and it takes memory
  const folder = mkdtempSync(join(tmpdir(), "skerry-pause-"));
  try {
    const archive = join(folder, "pause.tar");
    await writePauseImage(archive, PAUSE_IMAGE);
    await nerdctl.load(archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
