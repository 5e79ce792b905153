import { useEffect, useRef, useState } from "preact/hooks";
import type { Client } from "../api/client.ts";
import { every, visible } from "../effects.ts";
import { appended, type LogLine, matching, plain } from "../facts/log.ts";
import { useClient } from "../state/cluster.ts";

export type Source = { namespace: string; pod: string; container: string };

const TAIL = 200;
/** What came meanwhile is shown together: a program may print faster than a screen can. */
const GATHER_MS = 100;

const logPath = ({ namespace, pod, container }: Source, query: string) =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?container=${encodeURIComponent(container)}&${query}`;

/** The logs of all sources as one, followed while the page can be seen; `previous` are those of the containers before. */
export function Logs({ sources }: { sources: readonly Source[] }) {
  const client = useClient();
  const [isOpen, setOpen] = useState(false);
  const [previous, setPrevious] = useState(false);
  const [search, setSearch] = useState("");
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [error, setError] = useState("");
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  const key = JSON.stringify(sources);
  const isVisible = visible.value;

  useEffect(() => {
    if (!isOpen || !isVisible) return;
    const abort = new AbortController();
    setLines([]);
    setError("");
    const gathered: LogLine[] = [];
    const stop = every(GATHER_MS, () => {
      if (gathered.length > 0) setLines((shown) => appended(shown, gathered.splice(0)));
    });
    const query = previous ? `previous=true&tailLines=${TAIL}` : `follow=true&tailLines=${TAIL}`;
    for (const source of JSON.parse(key) as Source[])
      follow(client, source, query, abort.signal, (line) => gathered.push(line)).catch((why: unknown) => {
        if (!abort.signal.aborted) setError(why instanceof Error ? why.message : String(why));
      });
    return () => {
      abort.abort();
      stop();
    };
  }, [client, key, isOpen, isVisible, previous]);

  useEffect(() => {
    if (isAtEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);

  if (sources.length === 0) return null;
  const shown = matching(lines, search);
  return (
    <section aria-labelledby="logs">
      <h2 id="logs">Log</h2>
      <div class="actions">
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Close log" : "Follow log"}
        </button>
        <label class="inline">
          <input
            type="checkbox"
            checked={previous}
            onChange={({ currentTarget }) => setPrevious(currentTarget.checked)}
          />
          of the container before
        </label>
        {isOpen && (
          <label class="inline">
            Search
            <input type="search" value={search} onInput={({ currentTarget }) => setSearch(currentTarget.value)} />
          </label>
        )}
      </div>
      {error && (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
      {isOpen && (
        <pre
          class="log"
          ref={box}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys too
          tabIndex={0}
          onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
            isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 8;
          }}
        >
          {shown.map(({ id, source, text }) => (
            <span key={id}>
              {sources.length > 1 && <b>{`${source} `}</b>}
              {`${text}\n`}
            </span>
          ))}
        </pre>
      )}
    </section>
  );
}

let lastId = 0;

async function follow(
  client: Client,
  source: Source,
  query: string,
  signal: AbortSignal,
  take: (line: LogLine) => void,
): Promise<void> {
  let rest = "";
  const tell = (text: string) => take({ id: ++lastId, source: `${source.pod}/${source.container}`, text: plain(text) });
  for await (const text of client.messages(logPath(source, query), signal, "binary.k8s.io")) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(tell);
  }
  if (rest) tell(rest);
}
