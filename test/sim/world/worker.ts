/** The Worker before the object, as far as it does more than pass requests on: volumes' copies in the bucket are its work. */
import { openVolumeBackups } from "../../../worker/edge/volume-backups.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import { ApiError } from "../../../worker/lib/status.ts";
import type { AskBucket, BucketReply } from "../contract.ts";
import type { ModelBucket } from "./bucket.ts";
import type { Place } from "./network.ts";
import type { World } from "./world.ts";

type Surroundings = Pick<World, "clock" | "network" | "object">;

export class FrontWorker {
  readonly #world: Surroundings;
  readonly #bucket: ModelBucket;

  constructor(world: Surroundings, bucket: ModelBucket) {
    this.#world = world;
    this.#bucket = bucket;
  }

  /** As the node at that place asks it, by its token. Rejects where no answer comes. */
  asker(place: Place, token: string): AskBucket {
    const { clock, network } = this.#world;
    return ({ method, path, bytes, timeoutMs }) =>
      new Promise((resolve, reject) => {
        const cancel = clock.after(timeoutMs, () => reject(new Error(`no answer in ${timeoutMs / 1000} s`)));
        const arrives = (body: () => void) => {
          if (!network.loses()) clock.after(network.delay(), () => place.isCut || body());
        };
        const body = bytes && bytes.length > 0 ? { body: new Uint8Array(bytes) } : {};
        const headers = { authorization: `Bearer ${token}` };
        const request = new Request(`https://cluster${path}`, { method, headers, ...body });
        arrives(() => {
          void this.#serve(request).then((reply) =>
            arrives(() => {
              cancel();
              resolve(reply);
            }),
          );
        });
      });
  }

  async #serve(request: Request): Promise<BucketReply> {
    const bucket = this.#bucket;
    try {
      const cluster = { fetch: (asked: Request) => this.#ask(asked) };
      const answer = await openVolumeBackups(request, { clusterName: "default", cluster, bucket, seal: bucket.seal });
      return { code: answer.status, bytes: new Uint8Array(await answer.arrayBuffer()) };
    } catch (error) {
      const why = `the cluster did not answer: ${errorText(error)}`;
      const known = error instanceof ApiError ? error : new ApiError(503, "ServiceUnavailable", why);
      return { code: known.code, bytes: new TextEncoder().encode(JSON.stringify(known.status())) };
    }
  }

  #ask(request: Request): Promise<Response> {
    const { object } = this.#world;
    if (object.conditions.refused) return Promise.reject(new Error("the object is not to be had"));
    return new Promise((resolve, reject) => {
      object.fetch(
        request,
        ({ code, headers, text }) => resolve(new Response(text || null, { status: code, headers })),
        () => reject(new Error("the object went away")),
      );
    });
  }
}
