import { signal } from "@preact/signals";
import { describe, expect, test } from "vitest";
import { type Client, StatusError } from "./client.ts";
import type { KubeObject } from "./objects.ts";
import { Watched } from "./watched.ts";

const named = (name: string, resourceVersion: string): KubeObject => ({
  metadata: { name, uid: name, resourceVersion, creationTimestamp: "" },
});

/** A server whose lists are told in advance, and whose watches are open until they are ended here. */
class Server {
  readonly asked: string[] = [];
  readonly lists: (() => KubeObject[])[] = [];
  #watch: { tell(message: string): void; end(): void } | undefined;

  readonly client = {
    json: async (path: string) => {
      this.asked.push(path);
      const items = this.lists.shift()?.() ?? [];
      return { metadata: { resourceVersion: "10" }, items };
    },
    messages: (path: string, abort: AbortSignal, _: string, opened: () => void) => {
      this.asked.push(path);
      const messages: string[] = [];
      let isOver = false;
      let wake = () => {};
      this.#watch = {
        tell: (message) => {
          messages.push(message);
          wake();
        },
        end: () => {
          isOver = true;
          wake();
        },
      };
      abort.addEventListener("abort", () => this.#watch?.end());
      opened();
      return (async function* () {
        while (!isOver) {
          yield* messages.splice(0);
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      })();
    },
  } as unknown as Client;

  tell(type: string, object: unknown): Promise<void> {
    this.#watch?.tell(JSON.stringify({ type, object }));
    return settled();
  }

  end(): Promise<void> {
    this.#watch?.end();
    return settled();
  }
}

const settled = async () => {
  for (let n = 0; n < 50; n++) await Promise.resolve();
};

function setup() {
  const server = new Server();
  const visible = signal(true);
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const watched = new Watched("/api/v1/pods", "a=b", { client: server.client, visible, sleep });
  const names = () => [...watched.objects.value.keys()];
  return { server, visible, slept, watched, names };
}

describe("a watched collection", () => {
  test("is listed, then follows; who holds it last ends it", async () => {
    const { server, watched, names } = setup();
    server.lists.push(() => [named("one", "1")]);
    const [first, second] = [watched.hold(), watched.hold()];
    await settled();
    expect(names()).toEqual(["one"]);
    await server.tell("ADDED", named("two", "11"));
    await server.tell("DELETED", named("one", "12"));
    expect(names()).toEqual(["two"]);
    expect(watched.freshness.value.state).toBe("live");
    first();
    first();
    expect(watched.freshness.value.state).toBe("live");
    second();
    expect(watched.freshness.value.state).toBe("paused");
  });

  test("goes on from the last version it was told of, bookmarks' too", async () => {
    const { server, watched } = setup();
    watched.hold();
    await settled();
    await server.tell("BOOKMARK", named("", "40"));
    await server.end();
    expect(server.asked.at(-1)).toContain("resourceVersion=40");
    expect(server.asked.filter((path) => path.includes("limit="))).toHaveLength(1);
  });

  test("is listed anew when the server no longer knows its version", async () => {
    const { server, watched, names } = setup();
    server.lists.push(() => [named("old", "1")]);
    server.lists.push(() => [named("new", "50")]);
    watched.hold();
    await settled();
    await server.tell("ERROR", { code: 410, message: "too old resource version" });
    expect(names()).toEqual(["new"]);
  });

  test("tells why it is behind, and tries less and less often", async () => {
    const { server, slept, watched } = setup();
    const refuse = () => {
      throw new StatusError(500, "InternalError", "it is broken");
    };
    for (let n = 0; n < 9; n++) server.lists.push(refuse);
    const states: string[] = [];
    watched.freshness.subscribe((now) => states.push(now.state === "behind" ? now.why : now.state));
    watched.hold();
    await settled();
    expect(states).toContain("it is broken");
    expect(slept.length > 8 && watched.listed.value).toBe(true); // the tenth list was given
    expect(slept.slice(0, 8)).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  });

  test("holds nothing that who looks may no longer see, and seldom asks whether they may", async () => {
    const { server, slept, watched, names } = setup();
    const states: string[] = [];
    watched.freshness.subscribe((now) => states.push(now.state === "forbidden" ? `${now.why} ${names()}` : now.state));
    server.lists.push(() => [named("one", "1")]);
    server.lists.push(() => {
      throw new StatusError(403, "Forbidden", "pods is forbidden");
    });
    watched.hold();
    await settled();
    await server.tell("ERROR", { code: 410, message: "too old resource version" });
    expect(states).toContain("pods is forbidden ");
    expect(slept).toEqual([300_000]);
  });

  test("rests while nobody can see the page", async () => {
    const { server, visible, watched } = setup();
    watched.hold();
    await settled();
    await server.tell("ADDED", named("one", "11"));
    visible.value = false;
    expect(watched.freshness.value.state).toBe("paused");
    const before = server.asked.length;
    await settled();
    expect(server.asked).toHaveLength(before);
    visible.value = true;
    await settled();
    expect(server.asked.at(-1)).toContain("resourceVersion=11");
  });
});
