/** Figures over time: asked for while somebody looks, since nodes then send what they would else hold back. */
import { type Signal, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import { StatusError } from "../api/client.ts";
import { askSeries, RANGES, type Range, type Series, type Subject, type ToldSeries } from "../api/metric-series.ts";
import { every, sleep, visible } from "../effects.ts";
import { plotsOf } from "../facts/plots.ts";
import { useClient } from "../state/cluster.ts";
import { Plot } from "./plot.tsx";

/** Nodes measure once a minute. */
const ASK_MS = 30_000;
/** What nodes send because somebody looks has come by then. */
const SOON_MS = 5_000;

/** For all plots together, until the page is left. */
const range: Signal<Range> = signal("1h");

const WORDS: Readonly<Record<Range, string>> = {
  "1h": "hour",
  "6h": "6 hours",
  "1d": "day",
  "7d": "week",
  "30d": "month",
};

type State = { told?: ToldSeries; why?: string };

/** Nothing where they may not be seen, or the control plane is older. */
export function useSeries(of: Subject): State {
  const client = useClient();
  const [state, setState] = useState<State>({});
  const key = `${range.value} ${JSON.stringify(of)}`;
  const isVisible = visible.value;
  useEffect(() => {
    if (!isVisible) return;
    const abort = new AbortController();
    const ask = () =>
      askSeries(client, of, range.peek(), abort.signal)
        .then((told) => setState({ told }))
        .catch((error: unknown) => {
          const isNone = error instanceof StatusError && [403, 404].includes(error.code);
          if (!abort.signal.aborted) setState(isNone ? {} : { why: errorText(error) });
        });
    void ask()
      .then(() => sleep(SOON_MS, abort.signal))
      .then(() => {
        if (!abort.signal.aborted) return ask();
      });
    const stop = every(ASK_MS, ask);
    return () => {
      abort.abort();
      stop();
    };
  }, [client, key, isVisible]);
  return state;
}

export const RangeChooser = () => (
  <label class="inline">
    The last
    <select
      value={range.value}
      onChange={({ currentTarget }) => {
        range.value = currentTarget.value as Range;
      }}
    >
      {RANGES.map((name) => (
        <option key={name} value={name}>
          {WORDS[name]}
        </option>
      ))}
    </select>
  </label>
);

export const Plots = ({ series, told: { start, stepMs } }: { series: Series; told: ToldSeries }) => (
  <div class="plots">
    {plotsOf(series).map((plotted) => (
      <Plot key={plotted.title} of={plotted} start={start} stepMs={stepMs} />
    ))}
  </div>
);

/** What one workload used. */
export function History({ of, children }: { of: Subject; children?: ComponentChildren }) {
  const { told, why } = useSeries(of);
  const series = told && Object.values(told.series)[0];
  if (!told && !why) return null;
  return (
    <section aria-labelledby="history">
      <h2 id="history">Over time</h2>
      <RangeChooser />
      {told && series && <Plots series={series} told={told} />}
      {told && !series && <p class="hint">Nothing is known yet: nodes measure once a minute.</p>}
      {why && <p class="notice bad">{`Figures over time cannot be had: ${why}`}</p>}
      {children}
    </section>
  );
}
