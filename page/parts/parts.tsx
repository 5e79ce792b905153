/** Small parts that all views share. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Freshness } from "../api/watched.ts";
import { now } from "../effects.ts";
import type { Mood } from "../facts/pods.ts";
import { age } from "../facts/words.ts";
import { namespace } from "../state/session.ts";

export const Age = ({ of }: { of: string | undefined }) => (
  <time dateTime={of} title={of}>
    {age(of, now.value)}
  </time>
);

export const Badge = ({ mood, children }: { mood: Mood; children: ComponentChildren }) => (
  <span class={`badge ${mood}`}>{children}</span>
);

/** Nothing, where what is shown is as it is now. */
export function FreshnessLine({ of }: { of: Freshness }) {
  if (of.state === "live" || of.state === "paused") return null;
  if (of.state === "forbidden")
    return (
      <details class="notice">
        <summary>
          Not all is shown: some of it you may not see{namespace.value === "" ? "." : " in this namespace."}
        </summary>
        <pre class="hint wrap">{of.why}</pre>
      </details>
    );
  return (
    <p class={`notice ${of.state === "behind" ? "bad" : ""}`} role="status">
      {of.state === "loading" ? "Loading…" : `Not all can be shown as it is now: ${of.why}. Trying again.`}
    </p>
  );
}

export type ActionProps = {
  label: string;
  /** Asked before, where it cannot be undone. */
  question?: string;
  run(): Promise<unknown>;
};

/** A button that says what became of it. */
export function Action({ label, question, run }: ActionProps) {
  const [state, setState] = useState<{ busy?: boolean; error?: string }>({});
  const there = useRef(true);
  useEffect(() => {
    there.current = true;
    return () => {
      there.current = false;
    };
  }, []);
  const act = async () => {
    if (question && !confirm(question)) return;
    setState({ busy: true });
    const error = await run().then(() => undefined, errorText);
    if (there.current) setState({ error });
  };
  return (
    <>
      <button type="button" disabled={state.busy} onClick={act}>
        {label}
      </button>
      {state.error && (
        <span class="bad" role="alert">
          {state.error}
        </span>
      )}
    </>
  );
}

type NumberFieldProps = { label: string; least: number; value: number; set(value: number): void };

export const NumberField = ({ label, least, value, set }: NumberFieldProps) => (
  <label class="inline">
    {label}
    <input type="number" min={least} value={value} onInput={({ currentTarget }) => set(currentTarget.valueAsNumber)} />
  </label>
);

/** Text to be copied, as a whole. */
export const Copied = ({ label, rows, text }: { label: string; rows: number; text: string }) => (
  <label>
    {label}
    <textarea class="yaml" readOnly rows={rows} value={text} onFocus={({ currentTarget }) => currentTarget.select()} />
  </label>
);

/** A table that scrolls on a small screen in place of the page. */
export function Rows({ heads, children }: { heads: readonly string[]; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys too
    <section class="scroll" tabIndex={0} aria-label={`Table by ${heads[0]}`}>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
