/** What passes between nodes beside the control sockets: one answer to one stream that the cluster has granted. */
import type { StreamGrant } from "../../../worker/api/http/streams.ts";
import { INTERNAL_HEADER } from "../../../worker/lib/internal-headers.ts";
import type { VolumeExchange } from "../contract.ts";
import type { Place } from "./network.ts";
import type { World } from "./world.ts";

/** Who has heard nothing for so long gives up, ms. */
const SILENT_MS = 120_000;

type Waiting = { place: Place; settle(data: string | Error): void };

export class Relays {
  readonly #world: Pick<World, "clock" | "network" | "exchange">;
  readonly #waiting = new Map<string, Waiting>();

  constructor(world: Pick<World, "clock" | "network" | "exchange">) {
    this.#world = world;
  }

  /** As the node at that place has it, by its token. */
  volumesOf(place: Place, token: string): VolumeExchange {
    const headers = { authorization: `Bearer ${token}`, [INTERNAL_HEADER]: "stream" };
    return {
      want: async ({ namespace, name }) => {
        const url = `https://cluster/skerry/volumes/${namespace}/${name}?unused=true`;
        const answer = await this.#world.exchange(place, new Request(url, { headers }));
        if (answer?.code !== 200) throw new Error(`code ${answer?.code}`);
        return this.#wait((JSON.parse(answer.text) as StreamGrant).stream.id, place);
      },
      give: (stream, data) => this.#give(stream, place, data),
    };
  }

  #wait(stream: string, place: Place): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const settle = (data: string | Error) => {
      cancel();
      this.#waiting.delete(stream);
      if (typeof data === "string") resolve(data);
      else reject(data);
    };
    const cancel = this.#world.clock.after(SILENT_MS, () => settle(new Error("no byte came")));
    this.#waiting.set(stream, { place, settle });
    return promise;
  }

  /** Both ways are slow, and either may be lost; the one who waits may have come to the Relay later than the answer. */
  #give(stream: string, from: Place, data: string | Error): void {
    const { clock, network } = this.#world;
    if (network.loses()) return;
    clock.after(network.delay() + network.weather.delay.most, () => {
      const waiting = this.#waiting.get(stream);
      if (waiting && !from.isCut && !waiting.place.isCut) waiting.settle(data);
    });
  }
}
