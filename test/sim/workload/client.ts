/** A client of the API as any other: it sends requests over the network, may never hear, and everything is told. */
import type { KubeObject } from "../../../worker/lib/object.ts";
import type { Place } from "../world/network.ts";
import type { World } from "../world/world.ts";

export type Reply = { code: number; body: unknown };
export type Sent = { method: string; path: string; body?: unknown; contentType?: string };

/** What a watch is to watch. */
export type Watched = {
  /** `pods`, `deployments.apps` */
  resource: string;
  /** `/api/v1/pods`, without a query. */
  path: string;
  namespace: string | undefined;
  labelSelector?: string;
  fieldSelector?: string;
};

type Event = { type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR"; object: KubeObject };
export type WatchEnd = { revision: string; expired: boolean };

export class Client {
  readonly name: string;
  readonly place: Place;
  readonly #world: World;
  readonly #headers: Record<string, string>;

  /** `headers` say who it is, beside the administrator that it may act as. */
  constructor(world: World, name: string, headers: Record<string, string> = {}) {
    this.#world = world;
    this.name = name;
    this.place = world.place(name);
    this.#headers = { authorization: `Bearer ${world.adminToken}`, accept: "application/json", ...headers };
  }

  /** The answer, or undefined when none will come. */
  async ask({ method, path, body, contentType = "application/json" }: Sent): Promise<Reply | undefined> {
    const world = this.#world;
    const id = world.nextId();
    world.observe({ at: world.clock.now, type: "request", id, client: this.name, method, path, body });
    const request = new Request(`https://cluster${path}`, {
      method,
      headers: { ...this.#headers, ...(body !== undefined && { "content-type": contentType }) },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const answer = await world.exchange(this.place, request);
    if (!answer) {
      world.observe({ at: world.clock.now, type: "unanswered", id });
      return undefined;
    }
    const reply = { code: answer.code, body: parse(answer.text) };
    world.observe({ at: world.clock.now, type: "answer", id, ...reply });
    return reply;
  }

  /** Watches from a revision until the watch ends; `seen` is called with every event that is not its end. */
  async watch(watched: Watched, from: string, seconds: number, seen?: (event: Event) => void): Promise<WatchEnd> {
    const world = this.#world;
    const { resource, path, namespace, labelSelector, fieldSelector } = watched;
    const query = new URLSearchParams({
      watch: "1",
      resourceVersion: from,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(seconds),
      ...(labelSelector && { labelSelector }),
      ...(fieldSelector && { fieldSelector }),
    });
    const headers = { ...this.#headers, upgrade: "websocket", "x-skerry-internal": "watch" };
    const request = new Request(`https://cluster${path}?${query}`, { headers });
    const answer = await world.exchange(this.place, request);
    const end: WatchEnd = { revision: from, expired: false };
    if (!answer?.connection) {
      end.expired = answer?.code === 410;
      return end;
    }
    const { connection } = answer;
    const watch = world.nextId();
    const selectors = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
    world.observe({ at: world.clock.now, type: "watch-opened", watch, resource, namespace, from, ...selectors });
    return new Promise((resolve) => {
      connection.remote.onMessage((text) => {
        for (const line of text.split("\n")) {
          if (!line) continue;
          const { type, object } = JSON.parse(line) as Event;
          world.observe({ at: world.clock.now, type: "watch-event", watch, event: type, object });
          if (type === "ERROR") end.expired = true;
          else {
            end.revision = object.metadata?.resourceVersion ?? end.revision;
            seen?.({ type, object });
          }
        }
      });
      const over = () => {
        cancel();
        world.observe({ at: world.clock.now, type: "watch-closed", watch });
        resolve(end);
      };
      connection.remote.onClose(over);
      // The Worker in front ends the answer at its deadline, whatever the object does.
      const deadline = Number(answer.headers.get("x-skerry-deadline")) - world.clock.now;
      const cancel = world.clock.after(deadline, () => connection.remote.close(1006, ""));
      connection.opened(this.place);
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
