import { useEffect, useState } from "preact/hooks";
import { every, visible } from "../effects.ts";
import { amountOf } from "../facts/network.ts";
import { useClient } from "../state/cluster.ts";

/** There is no watch of figures. They are asked for while somebody looks at them, and wake the cluster no more than needed. */
const ASK_MS = 15_000;
const MOST_NAMESPACES = 5;

export type Figures = { perSecond?: number; pending?: number };

type Metrics = { items: { describedObject: { namespace?: string; name: string }; value: string }[] };

const METRICS = [
  ["requests_per_second", "perSecond"],
  ["pending_requests", "pending"],
] as const;

/** Of Services, by `NAMESPACE/NAME`; none where they cannot be had. */
export function useFigures(namespaces: readonly string[]): Readonly<Record<string, Figures>> {
  const client = useClient();
  const [figures, setFigures] = useState<Readonly<Record<string, Figures>>>({});
  const key = namespaces.slice(0, MOST_NAMESPACES).join("/");
  const isVisible = visible.value;
  useEffect(() => {
    if (!isVisible || key === "") return;
    const abort = new AbortController();
    const ask = async () => {
      const found: Record<string, Figures> = {};
      const asked = key.split("/").flatMap((namespace) =>
        METRICS.map(async ([metric, name]) => {
          const path = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/services/*/${metric}`;
          const { items } = await client.json<Metrics>(path, { signal: abort.signal });
          for (const { describedObject: of, value } of items) {
            const one = `${of.namespace}/${of.name}`;
            found[one] = { ...found[one], [name]: amountOf(value) };
          }
        }),
      );
      await Promise.allSettled(asked);
      if (!abort.signal.aborted) setFigures(found);
    };
    void ask();
    const stop = every(ASK_MS, ask);
    return () => {
      abort.abort();
      stop();
    };
  }, [client, key, isVisible]);
  return figures;
}
