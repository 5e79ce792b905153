import { useEffect, useRef, useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import { type Ending, Exec, type Target } from "../api/exec.ts";
import { plain } from "../facts/log.ts";
import { useClient } from "../state/cluster.ts";
import type { Screen } from "./xterm.ts";

/** Shells by what is offered; the first takes the best that the container has. */
const SHELLS: Record<string, readonly string[]> = {
  "bash, else sh": ["sh", "-c", "command -v bash >/dev/null && exec bash; exec sh"],
  sh: ["sh"],
  bash: ["bash"],
  ash: ["ash"],
};

/** A program may print faster than a browser can show, which has no way to hold a WebSocket back. */
const MOST_UNSHOWN_BYTES = 16 * 1024 * 1024;

type State = { at: "closed"; why?: string } | { at: "open"; container: string; words: readonly string[] };

/** A shell in one of the containers that run. */
export function TerminalPart({
  namespace,
  pod,
  containers,
}: Omit<Target, "container"> & { containers: readonly string[] }) {
  const [state, setState] = useState<State>({ at: "closed" });
  const [container, setContainer] = useState("");
  const [shell, setShell] = useState("bash, else sh");
  const chosen = containers.includes(container) ? container : (containers[0] ?? "");
  return (
    <section aria-labelledby="terminal">
      <h2 id="terminal">Terminal</h2>
      {state.at === "closed" ? (
        <div class="actions">
          {containers.length > 1 && (
            <label class="inline">
              Container
              <select value={chosen} onChange={({ currentTarget }) => setContainer(currentTarget.value)}>
                {containers.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
          )}
          <label class="inline">
            Shell
            <select value={shell} onChange={({ currentTarget }) => setShell(currentTarget.value)}>
              {Object.keys(SHELLS).map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <button
            type="button"
            disabled={chosen === ""}
            onClick={() => setState({ at: "open", container: chosen, words: SHELLS[shell] ?? [] })}
          >
            Open terminal
          </button>
          {chosen === "" && <span class="hint">None of its containers runs.</span>}
          {state.why && (
            <span class="notice" role="status">
              {state.why}
            </span>
          )}
        </div>
      ) : (
        <Shell
          target={{ namespace, pod, container: state.container }}
          words={state.words}
          close={(why) => setState({ at: "closed", why })}
        />
      )}
    </section>
  );
}

function Shell({ target, words, close }: { target: Target; words: readonly string[]; close(why?: string): void }) {
  const client = useClient();
  const box = useRef<HTMLDivElement>(null);
  const leave = useRef<HTMLButtonElement>(null);
  const screen = useRef<Screen | undefined>(undefined);
  useEffect(() => {
    let stop = () => {};
    let isOver = false;
    const begin = async () => {
      const { openScreen } = await import("./xterm.ts");
      if (isOver || !box.current) return;
      const made = openScreen(box.current);
      screen.current = made;
      const session = connect(
        made,
        (stdout) => new Exec(client, target, { words, tty: true, stdin: true, stdout }),
        leave,
      );
      const watch = new ResizeObserver(made.fit);
      watch.observe(box.current);
      stop = () => {
        watch.disconnect();
        session.close();
        made.terminal.dispose();
      };
      const why = await session.ended.then(wordsOf, errorText);
      if (!isOver) close(why);
    };
    begin().catch((why: unknown) => close(errorText(why)));
    return () => {
      isOver = true;
      stop();
    };
  }, [client]);
  return (
    <>
      <div class="actions">
        <button type="button" ref={leave} onClick={() => close()}>
          Close terminal
        </button>
        <button type="button" onClick={() => copySelection(screen.current)}>
          Copy
        </button>
        <button type="button" onClick={() => pasteInto(screen.current)}>
          Paste
        </button>
        <span class="hint">F6 leaves it by the keyboard. Ctrl+C copies what is selected, Ctrl+V pastes.</span>
      </div>
      <div class="terminal-box" ref={box} />
    </>
  );
}

const wordsOf = ({ code, message }: Ending): string =>
  code === undefined
    ? plain(message)
    : code === 0
      ? "The shell has ended."
      : `The shell has ended with exit code ${code}.`;

const copySelection = (screen: Screen | undefined) =>
  screen && navigator.clipboard.writeText(screen.terminal.getSelection()).catch(() => {});

async function pasteInto(screen: Screen | undefined): Promise<void> {
  const text = await navigator.clipboard.readText().catch(() => "");
  screen?.terminal.paste(text);
  screen?.terminal.focus();
}

/** What is typed goes to the command, what it prints to the screen, and the screen's size with it. */
function connect(
  screen: Screen,
  start: (stdout: (bytes: Uint8Array) => void) => Exec,
  leave: { readonly current: HTMLButtonElement | null },
): Exec {
  const { terminal } = screen;
  let unshown = 0;
  const exec = start((bytes) => {
    unshown += bytes.length;
    if (unshown > MOST_UNSHOWN_BYTES) return exec.close("it printed faster than a browser can show");
    terminal.write(bytes, () => {
      unshown -= bytes.length;
    });
  });
  const encoder = new TextEncoder();
  terminal.onData((text) => exec.write(encoder.encode(text)));
  terminal.onBinary((text) => exec.write(Uint8Array.from(text, (character) => character.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => exec.resize(cols, rows));
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.type !== "keydown") return true;
    if (event.key === "F6") {
      leave.current?.focus();
      return false;
    }
    const key = (event.ctrlKey || event.metaKey) && !event.altKey ? event.key.toLowerCase() : "";
    if (key === "v") return false; // the browser pastes
    if (key !== "c" || !terminal.hasSelection()) return true;
    void copySelection(screen);
    terminal.clearSelection();
    event.preventDefault();
    return false;
  });
  exec.resize(terminal.cols, terminal.rows);
  terminal.focus();
  return exec;
}
