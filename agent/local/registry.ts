import type { Home } from "./home.ts";
import { sendChecked } from "./http.ts";
import type { Progress } from "./install.ts";
import { type Reach, reach } from "./reach.ts";

/** `grace` in s. */
export type CollectGarbage = Reach & { grace?: number };

export async function collectGarbage(
  { home, progress }: { home: Home; progress: Progress },
  options: CollectGarbage,
): Promise<void> {
  const query = options.grace === undefined ? "" : `?grace=${options.grace}`;
  const server = await reach(home, options);
  const { manifests, blobs, uploads, bytes } = (await sendChecked(server, "POST", `/skerry/registry/collect${query}`))
    .body;
  progress(`removed ${manifests} manifests, ${blobs} blobs and ${uploads} uploads: ${bytes} bytes`);
}
