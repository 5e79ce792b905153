/** A cluster's whole state at one revision, as a stream of parts: each is read in a turn of its own, so that nobody waits. */
import {
  type Counts,
  FORMAT,
  FORMAT_VERSION,
  type Header,
  PART_BYTES,
  type Part,
  sealPart,
} from "../../lib/backup-format.ts";
import type { Ranges } from "../../lib/config.ts";
import type { Reader, Store, StoredObject } from "../../storage/store.ts";
import { LOCAL_SETTINGS, RANGES, TRANSIENT_SETTINGS } from "./settings.ts";

/** Objects in memory at once: each may have 1.5 MiB. */
const OBJECTS_AT_ONCE = 16;

/** Keeps the log from being compacted past a revision, as long as it is used. */
export type Hold = { used(): void; release(): void };

export type Source = {
  store: Store;
  ranges: Ranges;
  about: Pick<Header, "kubernetes" | "cluster" | "time">;
};

/** The lines without checks. The first step takes the revision; all that follow show the cluster as it was then. */
export function* backupLines({ store, ranges, about }: Source): Generator<string> {
  const revision = store.revision();
  const resources = store.resources();
  const settings = store.settings().filter(({ name }) => !isLeftOut(name));
  const credentials = store.credentials.all();
  yield JSON.stringify({ format: FORMAT, version: FORMAT_VERSION, ...about, revision } satisfies Header);
  yield JSON.stringify({ setting: RANGES, value: JSON.stringify(ranges) });
  for (const { name, value } of settings) yield JSON.stringify({ setting: name, value });
  for (const credential of credentials) yield JSON.stringify({ credential });
  let objects = 0;
  for (const resource of resources)
    for (const { json } of objectsAt(store, resource, revision)) {
      objects++;
      yield `{"resource":${JSON.stringify(resource)},"object":${json}}`;
    }
  const counts: Counts = { settings: settings.length + 1, credentials: credentials.length, objects };
  yield JSON.stringify({ end: counts });
}

const isLeftOut = (name: string) =>
  name === RANGES || LOCAL_SETTINGS.includes(name) || TRANSIENT_SETTINGS.includes(name);

function* objectsAt(store: Reader, resource: string, at: number): Generator<StoredObject> {
  let after: { namespace: string; name: string } | undefined;
  do {
    const page = store.list({ resource }, { at, limit: OBJECTS_AT_ONCE, count: false, ...(after && { after }) });
    if (page === "expired") throw new Error("the change log was compacted while a backup was made: make it again");
    yield* page.items;
    after = page.next;
  } while (after);
}

/** Takes lines until they make a part; undefined when there are none left. */
function takePart(lines: Iterator<string>): string[] | undefined {
  const taken: string[] = [];
  for (let size = 0; size < PART_BYTES; ) {
    const next = lines.next();
    if (next.done) break;
    taken.push(next.value);
    size += next.value.length;
  }
  return taken.length > 0 ? taken : undefined;
}

/** `turn` runs its body in one of the cluster's turns. Of parts that nobody reads none is made. */
export function backupStream(
  lines: Iterator<string>,
  turn: <T>(body: () => T) => Promise<T>,
  hold: Hold,
): ReadableStream<Uint8Array> {
  let last: Part | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const taken = await turn(() => takePart(lines));
          hold.used();
          if (taken) {
            last = await sealPart(last?.check ?? "", taken);
            controller.enqueue(last.bytes);
          }
          if (taken && !last?.isLast) return;
          hold.release();
          controller.close();
        } catch (error) {
          hold.release();
          controller.error(error);
        }
      },
      cancel() {
        hold.release();
      },
    },
    { highWaterMark: 0 },
  );
}
