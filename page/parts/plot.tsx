/** A plot of our own: lines, and what they say at the moment that is pointed at, by keys too. */
import { useState } from "preact/hooks";
import { amount, HEIGHT, momentOf, mostOf, newest, type Plotted, pathOf, WIDTH } from "../facts/plots.ts";

const DAY_MS = 86_400_000;
const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export function Plot({ of, start, stepMs }: { of: Plotted; start: number; stepMs: number }) {
  const { title, unit, lines } = of;
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const slots = lines[0]?.values.length ?? 0;
  const last = Math.max(0, slots - 1);
  const most = mostOf(lines);
  const slot = Math.min(chosen ?? newest(lines), last);
  const withDay = slots * stepMs >= DAY_MS;
  const moment = momentOf(start + slot * stepMs, withDay);
  const told = lines.map(({ name, values }) => `${amount(values[slot], unit)} ${name}`).join(", ");
  const x = (slot / Math.max(1, last)) * WIDTH;
  const choose = (wanted: number) => setChosen(Math.max(0, Math.min(last, wanted)));
  const press = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    choose(slot + step);
  };
  const point = ({ clientX, currentTarget }: PointerEvent) => {
    const { left, width } = (currentTarget as Element).getBoundingClientRect();
    choose(Math.round(((clientX - left) / width) * last));
  };
  return (
    <div class="plot">
      <p class="hint">
        <strong>{title}</strong> {`${told}, ${moment}`}
      </p>
      <div
        role="slider"
        tabIndex={0}
        aria-label={`${title} over time`}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={slot}
        aria-valuetext={`${moment}: ${told}`}
        onKeyDown={press}
        onPointerMove={point}
        onPointerLeave={() => setChosen(undefined)}
        onBlur={() => setChosen(undefined)}
      >
        <svg viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden="true">
          {lines.map(({ name, values }, i) => (
            <path key={name} class={`line${i}`} d={pathOf(values, most)} />
          ))}
          {chosen !== undefined && <path class="mark" d={`M${x} 0V${HEIGHT}`} />}
        </svg>
      </div>
      <p class="hint ends">
        <span>{momentOf(start, withDay)}</span>
        <span>{`up to ${amount(most, unit)}`}</span>
        <span>{momentOf(start + last * stepMs, withDay)}</span>
      </p>
    </div>
  );
}
