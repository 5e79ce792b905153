/**
 * A watch as one long HTTP answer, for servers that hold their clients' connections themselves. Behind the edge,
 * watches come as sockets instead, and this is not used.
 */
import { watchFrames } from "../../kinds/protobuf/frames.ts";
import type { Store } from "../../storage/store.ts";
import type { WatchSpec } from "../request.ts";
import type { Watches } from "../watch/watch.ts";

/** What a client may lag behind before its watch ends; it then resumes by revision. */
const MAX_BUFFERED_LINES = 10_000;

export type WatchParts = {
  store: Store;
  watches: Pick<Watches, "initialEvents" | "renderChange">;
  /** Calls `body` once after so many milliseconds; without it a watch ends after the initial events. */
  after?(ms: number, body: () => void): void;
  effects: { now(): number };
};

/** The media type of a watch's events. */
export const watchType = ({ encoding }: Pick<WatchSpec, "encoding">): string =>
  encoding === "protobuf" ? "application/vnd.kubernetes.protobuf;stream=watch" : "application/json";

export function watchAnswer({ store, watches, after, effects }: WatchParts, spec: WatchSpec): Response {
  const encoder = new TextEncoder();
  const encode = (line: string) => (spec.encoding === "protobuf" ? watchFrames(line) : encoder.encode(line));
  let end: () => void = () => undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let open = true;
        const unsubscribe = store.onChange((changes) => {
          for (const change of changes) send(watches.renderChange(spec, change));
        });
        end = () => {
          if (!open) return;
          open = false;
          unsubscribe();
          controller.close();
        };
        const send = (line: string) => {
          if (!open || line === "") return;
          controller.enqueue(encode(line));
          if ((controller.desiredSize ?? 0) <= 0) end();
        };
        for (const line of watches.initialEvents(spec, store)) send(line);
        if (after) after(spec.deadline - effects.now(), end);
        else end();
      },
      cancel() {
        end();
      },
    },
    new CountQueuingStrategy({ highWaterMark: MAX_BUFFERED_LINES }),
  );
  return new Response(body, { headers: { "content-type": watchType(spec) } });
}
