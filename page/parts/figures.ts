import { useEffect, useState } from "preact/hooks";
import { askRequests, type RequestsNow } from "../api/requests.ts";
import { every, visible } from "../effects.ts";
import { useClient } from "../state/cluster.ts";

/** There is no watch of figures. They are asked for while somebody looks at them, and wake the cluster no more than needed. */
const ASK_MS = 15_000;

const NOTHING: RequestsNow = { silent: 0 };

/** Of a namespace, or of all for an empty one; nothing where they cannot be had. */
export function useRequests(namespace: string): RequestsNow {
  const client = useClient();
  const [now, setNow] = useState(NOTHING);
  const isVisible = visible.value;
  useEffect(() => {
    if (!isVisible) return;
    const abort = new AbortController();
    const ask = async () => {
      const told = await askRequests(client, namespace, abort.signal).catch(() => NOTHING);
      if (!abort.signal.aborted) setNow(told);
    };
    void ask();
    const stop = every(ASK_MS, ask);
    return () => {
      abort.abort();
      stop();
    };
  }, [client, namespace, isVisible]);
  return now;
}
