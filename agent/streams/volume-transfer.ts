/** Volumes on their way through the deployment's bucket: `worker/edge/volume-backups.ts` tells of the paths. */
import { Readable } from "node:stream";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import { checked, type Server, send } from "../local/http.ts";
import type { NodeIdentity } from "../local/join.ts";
import { backupStream, sendBackup, unzipped, zipped } from "../local/volume-bucket.ts";
import { type Bucket, received, type Transfer } from "../volumes/persistent/copying.ts";

const keptAt = ({ volume, name }: Transfer) => ({
  path: `/skerry/transfers/${encodeURIComponent(volume)}/${encodeURIComponent(name)}`,
  words: `copy ${name} of volume ${volume}`,
});

export type TransferParts = {
  /** Asked for each time: a node that joins anew has another token. */
  server(): Server;
  effects: Effects & Timers;
  /** What is sent of a folder's data, and a folder made of it again. */
  wrapped(data: AsyncIterable<Buffer>): AsyncIterable<Uint8Array>;
  placed(download: (transfer: Transfer) => Readable): Bucket["receive"];
  chunkBytes?: number;
};

export function bucketOf(identity: Pick<NodeIdentity, "server" | "ca" | "token">, effects: Effects & Timers): Bucket {
  return bucketBy({
    server() {
      const { server: url, ca, token } = identity;
      return { url, token, anyTime: true, ...(ca && { ca }) };
    },
    effects,
    wrapped: (data) => zipped(Readable.from(data, { objectMode: false })),
    placed: (download) => received(async (transfer: Transfer) => unzipped(download(transfer))),
  });
}

export function bucketBy({ server, effects, wrapped, placed, chunkBytes }: TransferParts): Bucket {
  const remove = async (transfer: Transfer) => {
    const { path } = keptAt(transfer);
    const answer = await send(server(), "DELETE", path);
    if (answer.code !== 404) checked("DELETE", path, answer);
  };
  return {
    remove,
    async send(transfer, data, signal) {
      const kept = { ...keptAt(transfer), isResumed: true, ...(chunkBytes && { chunkBytes }) };
      const before = await send(server(), "GET", kept.path);
      if (before.code !== 404) return void checked("GET", kept.path, before);
      const source = async () => {
        signal.throwIfAborted();
        return wrapped(abortable(data(), signal));
      };
      try {
        await sendBackup({ effects, progress: () => {} }, server(), kept, source);
      } finally {
        // Whoever was to remove it may have done so before the last of it came.
        if (signal.aborted) await remove(transfer).catch(() => {});
      }
    },
    receive: placed((transfer) => backupStream({ effects }, server(), keptAt(transfer))),
  };
}

async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const piece of source) {
    signal.throwIfAborted();
    yield piece;
  }
}
