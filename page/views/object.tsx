import { useEffect, useState } from "preact/hooks";
import { parse, stringify } from "yaml";
import { errorText } from "../../worker/lib/error-text.ts";
import { type Place, pathOf } from "../api/discovery.ts";
import type { KubeObject } from "../api/objects.ts";
import { type DiffLine, diff, shortened } from "../facts/diff.ts";
import { useClient } from "../state/cluster.ts";

const MANAGER = "skerry-page";

/** As kubectl and the API read it: `yes` and `on` are booleans there, and so are quoted where they are texts. */
const YAML = { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;

/** As it is edited: without what only the server says, but for the version, by which a change meanwhile is found. */
export function editable(object: KubeObject & { status?: unknown }): string {
  const { status: _, ...rest } = structuredClone(object);
  const metadata: Record<string, unknown> = { ...rest.metadata };
  for (const name of ["managedFields", "uid", "creationTimestamp", "generation", "selfLink"]) delete metadata[name];
  return stringify({ ...rest, metadata }, YAML);
}

type State =
  | { at: "editing" | "asking" | "applied" }
  | { at: "checked"; lines: readonly (DiffLine | undefined)[] }
  | { at: "refused"; why: string };

/** One object as YAML: what a change would make of it is shown by the server's dry run before it is applied. */
export function ObjectView(place: Place) {
  const client = useClient();
  const path = pathOf(place);
  const [found, setFound] = useState<string | undefined>();
  const [text, setText] = useState("");
  const [state, setState] = useState<State>({ at: "editing" });

  const load = async (signal?: AbortSignal) => {
    const yaml = editable(await client.json<KubeObject>(path, { signal }));
    if (signal?.aborted) return;
    setFound(yaml);
    setText(yaml);
  };
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).catch((why: unknown) => {
      if (!abort.signal.aborted) setState(refusal(why));
    });
    return () => abort.abort();
  }, [path]);

  const send = (dryRun: boolean) => {
    parse(text, YAML); // what is no YAML is told by its line, before anything is sent
    const query = `fieldManager=${MANAGER}${dryRun ? "&dryRun=All" : ""}`;
    return client.json<KubeObject>(`${path}?${query}`, { method: "PUT", contentType: "application/yaml", body: text });
  };
  const attempt = async (act: () => Promise<State>) => {
    setState({ at: "asking" });
    setState(await act().catch(refusal));
  };
  const check = () =>
    attempt(async () => ({ at: "checked", lines: shortened(diff(found ?? "", editable(await send(true)))) }));
  const apply = () =>
    attempt(async () => {
      await send(false);
      await load();
      return { at: "applied" };
    });
  const isReady = found !== undefined && state.at !== "asking";

  return (
    <>
      <h1>
        {place.name} <small>{`${place.plural}${place.namespace ? ` in ${place.namespace}` : ""}`}</small>
      </h1>
      <label>
        YAML
        <textarea
          class="yaml"
          spellcheck={false}
          value={text}
          readOnly={state.at === "asking"}
          rows={Math.min(40, text.split("\n").length + 1)}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            setState({ at: "editing" });
          }}
        />
      </label>
      <div class="actions">
        <button type="button" disabled={!isReady} onClick={check}>
          Check
        </button>
        <button type="button" disabled={!isReady} onClick={apply}>
          Apply
        </button>
        <button
          type="button"
          disabled={state.at === "asking"}
          onClick={() => attempt(() => load().then(() => ({ at: "editing" })))}
        >
          Load anew
        </button>
      </div>
      {state.at === "refused" && (
        <pre class="bad" role="alert">
          {state.why}
        </pre>
      )}
      {state.at === "applied" && (
        <p class="notice good" role="status">
          Applied.
        </p>
      )}
      {state.at === "checked" && <Diff lines={state.lines} />}
    </>
  );
}

const refusal = (why: unknown): State => ({ at: "refused", why: errorText(why) });

const CLASSES = { "+": "added", "-": "removed", " ": "" } as const;

function Diff({ lines }: { lines: readonly (DiffLine | undefined)[] }) {
  if (lines.length === 0)
    return (
      <p class="notice" role="status">
        It would change nothing.
      </p>
    );
  return (
    <pre class="diff" role="status">
      {lines.map((line, at) => (
        <span key={at} class={line && CLASSES[line.mark]}>
          {line ? `${line.mark} ${line.text}\n` : "…\n"}
        </span>
      ))}
    </pre>
  );
}
