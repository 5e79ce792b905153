import { useEffect, useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import { StatusError } from "../api/client.ts";
import { askUsage, type MonthUsage } from "../api/usage.ts";
import { now } from "../effects.ts";
import { spentOf } from "../facts/usage.ts";
import { useClient } from "../state/cluster.ts";

/** What the month cost so far, asked for once. Nothing where one may not know, or nobody counts. */
export function Usage() {
  const client = useClient();
  const [usage, setUsage] = useState<MonthUsage>();
  const [why, setWhy] = useState<string>();
  useEffect(() => {
    const abort = new AbortController();
    askUsage(client, abort.signal).then(setUsage, (error: unknown) => {
      const isNone = error instanceof StatusError && [403, 404].includes(error.code);
      if (!isNone && !abort.signal.aborted) setWhy(errorText(error));
    });
    return () => abort.abort();
  }, [client]);
  if (why) return <p class="notice bad">{`What the month cost cannot be had: ${why}`}</p>;
  if (!usage) return null;
  const { awake, free, paid } = spentOf(usage, now.value);
  return (
    <section aria-labelledby="usage">
      <h2 id="usage">This month</h2>
      <dl class="facts">
        <div>
          <dt>Control plane awake</dt>
          <dd>{`about ${awake} since ${new Date(usage.since).toLocaleDateString()}`}</dd>
        </div>
        <div>
          <dt>On Cloudflare's free plan</dt>
          <dd>{free}</dd>
        </div>
        <div>
          <dt>On the paid plan</dt>
          <dd>{paid}</dd>
        </div>
      </dl>
      <p class="hint">
        Of the Cluster object, by sampling: apps' own traffic, the registry and the bucket are not in it, nor is time of
        computing, which Cloudflare shows to no program.
      </p>
    </section>
  );
}
