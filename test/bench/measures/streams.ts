/** How fast bytes go through a command in a pod and through its log, beside what kubectl takes and gives to a bare server. */
import { effects } from "../../../agent/effects.ts";
import type { Group, Measure, Sizes } from "../measure.ts";
import { startBareStreams, startSkerryStreams } from "../sides/streams.ts";
import type { StreamHost } from "../stream-host.ts";

async function rate(megabytes: number, run: () => Promise<void>): Promise<number> {
  const start = effects.now();
  await run();
  return megabytes / ((effects.now() - start) / 1000);
}

const measure = (name: string, run: (host: StreamHost) => Promise<number>): Measure<StreamHost> => ({
  name,
  unit: "MB/s",
  goal: { atLeast: 0.5, of: "ratio" },
  run,
});

export const streams = ({ streamed }: Sizes): Group<StreamHost> => ({
  name: "streams",
  sides: { skerry: startSkerryStreams, bare: startBareStreams },
  measures: [
    measure(`kubectl exec: ${streamed} MB out of a pod`, (host) => rate(streamed, () => host.take(streamed))),
    measure(`kubectl exec: ${streamed} MB into a pod`, (host) => rate(streamed, () => host.give(streamed))),
    measure("kubectl logs", async (host) => {
      let megabytes = 0;
      const start = effects.now();
      while (megabytes < streamed) megabytes += await host.logs();
      return megabytes / ((effects.now() - start) / 1000);
    }),
  ],
});
