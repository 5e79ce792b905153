import { useEffect, useState } from "preact/hooks";
import { parse, stringify } from "yaml";
import { StatusError } from "../api/client.ts";
import { type Place, pathOf } from "../api/discovery.ts";
import type { KubeObject } from "../api/objects.ts";
import { type DiffLine, diff, shortened } from "../facts/diff.ts";
import { useClient } from "../state/cluster.ts";

const MANAGER = "skerry-page";
const APPLY = "application/apply-patch+yaml";

/** As it is edited: without what only the server says. */
export function editable(object: KubeObject & { status?: unknown }): string {
  const { status: _, ...rest } = structuredClone(object);
  const metadata: Record<string, unknown> = { ...rest.metadata };
  for (const name of ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"])
    delete metadata[name];
  return stringify({ ...rest, metadata }, { lineWidth: 0 });
}

type State =
  | { at: "editing" }
  | { at: "checked"; lines: readonly (DiffLine | undefined)[] }
  | { at: "refused"; why: string; isConflict: boolean }
  | { at: "applied" };

/** One object as YAML: what a change would make of it is shown by the server's dry run before it is applied. */
export function ObjectView(place: Place) {
  const client = useClient();
  const path = pathOf(place);
  const [found, setFound] = useState<string | undefined>();
  const [text, setText] = useState("");
  const [state, setState] = useState<State>({ at: "editing" });

  const load = async () => {
    const yaml = editable(await client.json<KubeObject>(path));
    setFound(yaml);
    setText(yaml);
  };
  useEffect(() => {
    load().catch((why: unknown) => setState(refusal(why)));
  }, [path]);

  const send = (force: boolean, dryRun: boolean) => {
    parse(text); // what is no YAML is told by its line, before anything is sent
    const query = `fieldManager=${MANAGER}${force ? "&force=true" : ""}${dryRun ? "&dryRun=All" : ""}`;
    return client.json<KubeObject>(`${path}?${query}`, { method: "PATCH", contentType: APPLY, body: text });
  };
  const check = async (force: boolean) => {
    try {
      const would = editable(await send(force, true));
      setState({ at: "checked", lines: shortened(diff(found ?? "", would)) });
    } catch (why) {
      setState(refusal(why));
    }
  };
  const apply = async (force: boolean) => {
    try {
      await send(force, false);
      await load();
      setState({ at: "applied" });
    } catch (why) {
      setState(refusal(why));
    }
  };

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
          rows={Math.min(40, text.split("\n").length + 1)}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            setState({ at: "editing" });
          }}
        />
      </label>
      <div class="actions">
        <button type="button" disabled={found === undefined} onClick={() => check(false)}>
          Check
        </button>
        <button type="button" disabled={found === undefined} onClick={() => apply(false)}>
          Apply
        </button>
        {state.at === "refused" && state.isConflict && (
          <button type="button" onClick={() => apply(true)}>
            Apply and own these fields
          </button>
        )}
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

const refusal = (why: unknown): State => ({
  at: "refused",
  why: why instanceof Error ? why.message : String(why),
  isConflict: why instanceof StatusError && why.reason === "Conflict",
});

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
