import { parseQuantity, wholeValue } from "../../worker/lib/quantity.ts";
import type { Home } from "./home.ts";
import { checked, open, read, type Server, sendChecked } from "./http.ts";
import type { Progress } from "./install.ts";
import { type Reach, reach } from "./reach.ts";
import { printable, table } from "./terminal.ts";

/** `grace` in s. With `byClock` nothing is collected now, but it is said whether that is done by itself. */
export type CollectGarbage = Reach & { grace?: number; byClock?: "on" | "off" };

type Collected = { manifests: number; blobs: number; uploads: number; bytes: number };

/** One request empties some hundred folders before it answers. */
const TIMEOUT_MS = 600_000;

export async function collectGarbage(
  { home, progress }: { home: Home; progress: Progress },
  options: CollectGarbage,
): Promise<void> {
  const server = await reach(home, options);
  if (options.byClock) {
    await sendChecked(server, "PUT", `/skerry/registry/clock?to=${options.byClock}`);
    progress(
      options.byClock === "on" ? "garbage is removed by itself, too" : "garbage is removed by this command alone",
    );
    return;
  }
  const { manifests, blobs, uploads, bytes } = await collectAll(server, options.grace);
  progress(`removed ${manifests} manifests, ${blobs} blobs and ${uploads} uploads: ${bytes} bytes`);
}

/** As often as there is more to remove; what was removed altogether. */
export async function collectAll(server: Server, grace: number | undefined): Promise<Collected> {
  const path = `/skerry/registry/collect${grace === undefined ? "" : `?grace=${grace}`}`;
  const sum = { manifests: 0, blobs: 0, uploads: 0, bytes: 0 };
  for (let more = true; more; ) {
    const answer = await read(await open(server, "POST", path, { timeoutMs: TIMEOUT_MS }));
    const collected = checked("POST", path, answer).body as Collected & { more?: boolean };
    for (const name of Object.keys(sum) as (keyof Collected)[]) sum[name] += collected[name];
    more = collected.more === true;
  }
  return sum;
}

/** `set` is a quantity of bytes. */
export type SetQuota = Reach & { set?: string; remove?: boolean };

type Usage = { prefix: string; bytes: number | null; used: number };

/** Prints all quotas after the change, or those there are. */
export async function quota(home: Home, prefix: string | undefined, options: SetQuota): Promise<void> {
  const { set, remove } = options;
  if (set !== undefined && remove) throw new Error("--set and --remove are not said together");
  if (prefix !== undefined && set === undefined && !remove)
    throw new Error(`what of ${prefix}? --set SIZE or --remove`);
  const method = remove ? "DELETE" : set === undefined ? "GET" : "PUT";
  const query = new URLSearchParams({
    ...(prefix !== undefined && { prefix }),
    ...(set !== undefined && { bytes: String(wholeValue(parseQuantity(set))) }),
  });
  const { body } = await sendChecked(await reach(home, options), method, `/skerry/registry/quotas?${query}`);
  const rows = (body as { items: Usage[] }).items.map((usage) => [
    usage.prefix ? printable(usage.prefix) : "(all)",
    String(usage.used),
    usage.bytes === null ? "-" : String(usage.bytes),
  ]);
  process.stdout.write(table([["REPOSITORIES", "BYTES", "QUOTA"], ...rows]));
}
