import { useEffect, useRef, useState } from "preact/hooks";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Target } from "../api/exec.ts";
import { download, MAX_FILE_BYTES, upload } from "../api/files.ts";
import { sleep } from "../effects.ts";
import { plain } from "../facts/log.ts";
import { useClient } from "../state/cluster.ts";

type State = { at: "rest"; said?: string; isBad?: boolean } | { at: "busy" };

/** Files and folders of a container that has `tar`, to this machine and from it. */
export function Files({ target }: { target: Target }) {
  const client = useClient();
  const [state, setState] = useState<State>({ at: "rest" });
  const [path, setPath] = useState("/tmp");
  const chosen = useRef<HTMLInputElement>(null);
  const underWay = useRef<AbortController>(null);
  useEffect(() => () => underWay.current?.abort(), [target.namespace, target.pod]);
  const attempt = async (act: (signal: AbortSignal) => Promise<string>) => {
    underWay.current = new AbortController();
    const { signal } = underWay.current;
    setState({ at: "busy" });
    const ended = await act(signal).then(
      (said) => ({ at: "rest", said }) as const,
      (why: unknown) => ({ at: "rest", said: plain(errorText(why)), isBad: true }) as const,
    );
    setState(signal.aborted ? { at: "rest" } : ended);
  };
  const bring = () =>
    attempt(async (signal) => {
      const file = await download(client, target, path, signal);
      save(file);
      return `${file.name}, ${file.size} bytes`;
    });
  const send = () =>
    attempt(async (signal) => {
      const file = chosen.current?.files?.[0];
      if (!file) throw new Error("Choose a file first.");
      await upload(client, target, path, file, { sleep, signal });
      return `${file.name} is in ${path}.`;
    });
  const isBusy = state.at === "busy";
  return (
    <section aria-label={`Files of ${target.container}`}>
      <h2>Files</h2>
      <div class="actions">
        <label class="inline">
          Path in {target.container}
          <input spellcheck={false} value={path} onInput={({ currentTarget }) => setPath(currentTarget.value)} />
        </label>
        <button type="button" disabled={isBusy} onClick={bring}>
          Download
        </button>
        <label class="inline">
          File
          <input type="file" ref={chosen} />
        </label>
        <button type="button" disabled={isBusy} onClick={send}>
          Upload into path
        </button>
      </div>
      {state.at === "busy" && (
        <p class="notice" role="status">
          Under way…
        </p>
      )}
      {state.at === "rest" && state.said && (
        <p class={`notice ${state.isBad ? "bad" : "good"}`} role={state.isBad ? "alert" : "status"}>
          {state.said}
        </p>
      )}
      <p class="hint">{`By the container's tar; ${MAX_FILE_BYTES / 1024 / 1024} MB at most.`}</p>
    </section>
  );
}

function save(file: File): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  URL.revokeObjectURL(link.href);
}
