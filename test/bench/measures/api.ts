/** The API and its storage alone: writes, reads, lists, watches, and how soon they answer after the start. */
import { client } from "../client.ts";
import type { ControlPlane } from "../control-plane.ts";
import type { Group, Measure, Sizes } from "../measure.ts";
import { startKubernetes } from "../sides/kubernetes.ts";
import { startSkerry } from "../sides/skerry.ts";
import { neighbour } from "./neighbour.ts";

type Rate = { perSecond: number; errors?: number; error?: string };

const coldStart: Measure<ControlPlane> = {
  name: "cold start until the first answer",
  unit: "ms",
  goal: { atMost: 0.25, of: "ratio" },
  run: async ({ startMs }) => startMs,
};

const load = (verb: string, connections: number, seconds: number): Measure<ControlPlane> => ({
  name: `${verb}, ${connections} connection${connections === 1 ? "" : "s"}`,
  unit: "ops/s",
  goal: { atLeast: 2, of: "ratio" },
  async run(plane) {
    const flags = ["-verb", verb, "-c", String(connections), "-d", `${seconds}s`];
    const { perSecond, errors, error } = await client<Rate>(plane, "load", ...flags);
    if (errors) throw new Error(`${errors} requests failed: ${error}`);
    return perSecond;
  },
});

const list = (objects: number): Measure<ControlPlane> => ({
  name: `list of ${objects} objects of 1 KB`,
  unit: "ms",
  goal: { atMost: 0.5, of: "ratio" },
  run: async (plane) => (await client<{ ms: number }>(plane, "-namespace", "list", "list", "-n", String(objects))).ms,
});

const watch = (watchers: number, events: number): Measure<ControlPlane> => ({
  name: `events delivered to ${watchers} watchers`,
  unit: "events/s",
  goal: { atLeast: 1.5, of: "ratio" },
  async run(plane) {
    const flags = ["-watchers", String(watchers), "-events", String(events)];
    return (await client<Rate>(plane, "watch", ...flags)).perSecond;
  },
});

export const api = ({ seconds, connections, listed, watchers, events }: Sizes): Group<ControlPlane> => ({
  name: "api",
  sides: {
    skerry: () => startSkerry({ controllers: false }),
    kubernetes: () => startKubernetes({ controllers: false }),
  },
  measures: [
    coldStart,
    ...["create", "get", "update"].flatMap((verb) => connections.map((count) => load(verb, count, seconds))),
    list(listed),
    watch(watchers, events),
    neighbour(connections.at(-1) ?? 1, seconds),
  ],
});
