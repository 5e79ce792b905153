import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { LogFollower, type Source } from "../api/log-follower.ts";
import { every, sleep, visible } from "../effects.ts";
import { appended, type LogLine, matching, plain } from "../facts/log.ts";
import { useClient } from "../state/cluster.ts";

/** Each is a connection, of which a browser has some two hundred for all that the page does. */
const MOST_SOURCES = 20;
/** What came meanwhile is shown together: a program may print faster than a screen can. */
const GATHER_MS = 100;

/** The logs of all sources as one, followed while the page can be seen; `previous` are those of the containers before. */
export function Logs({ sources }: { sources: readonly Source[] }) {
  const client = useClient();
  const [isOpen, setOpen] = useState(false);
  const [previous, setPrevious] = useState(false);
  const [search, setSearch] = useState("");
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [reasons, setReasons] = useState<Readonly<Record<string, string>>>({});
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  const key = JSON.stringify(sources.slice(0, MOST_SOURCES));
  const followed = useMemo(() => JSON.parse(key) as Source[], [key]);
  const follower = useRef<LogFollower | undefined>(undefined);
  const isVisible = visible.value;

  useEffect(() => {
    if (!isOpen || !isVisible) return;
    setLines([]);
    setReasons({});
    const gathered: LogLine[] = [];
    const stop = every(GATHER_MS, () => {
      const arrived = gathered.splice(0);
      if (arrived.length > 0) setLines((shown) => appended(shown, arrived));
    });
    follower.current = new LogFollower({
      client,
      sleep,
      previous,
      take: (source, text) => gathered.push({ id: ++lastId, source: nameOf(source), text: plain(text) }),
      tell: (source, why) =>
        setReasons((told) => ((told[nameOf(source)] ?? "") === why ? told : { ...told, [nameOf(source)]: why })),
    });
    return () => {
      follower.current?.stop();
      follower.current = undefined;
      stop();
    };
  }, [client, isOpen, isVisible, previous]);

  // After the follower was made, and whenever pods come and go: those that stay are followed on.
  useEffect(() => follower.current?.want(followed), [followed, client, isOpen, isVisible, previous]);

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
      {isOpen &&
        followed.map((source) => {
          const why = reasons[nameOf(source)];
          return why ? <p class="busy" role="status" key={nameOf(source)}>{`${nameOf(source)}: ${why}`}</p> : null;
        })}
      {sources.length > MOST_SOURCES && (
        <p class="hint">{`Of ${sources.length} logs the first ${MOST_SOURCES} are followed.`}</p>
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

const nameOf = ({ pod, container }: Source) => `${pod}/${container}`;
