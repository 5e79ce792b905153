import { useEffect, useMemo, useState } from "preact/hooks";
import { parse } from "yaml";
import { errorText } from "../../worker/lib/error-text.ts";
import { type Place, pathOf } from "../api/discovery.ts";
import type { KubeObject } from "../api/objects.ts";
import { apply, type Conflict, type Edit, leaveTheirs } from "../editing/apply.ts";
import { kindSchema } from "../editing/kind-schema.ts";
import { problemsOf } from "../editing/problems.ts";
import type { KindSchema } from "../editing/schema.ts";
import { editable, textOf, YAML } from "../editing/yaml.ts";
import { type DiffLine, diff, shortened } from "../facts/diff.ts";
import { Editor } from "../parts/editor.tsx";
import { useClient } from "../state/cluster.ts";
import { draftOf, forgetDraft, keepDraft } from "../state/drafts.ts";
import { session } from "../state/session.ts";

type Lines = readonly (DiffLine | undefined)[];
type Wish = {
  dryRun: boolean /** Whatever the schema says. */;
  unchecked?: boolean /** What is taken over, as it was shown. */;
  accepted?: readonly Conflict[];
};

type State =
  | { at: "editing" | "asking" | "applied" }
  | { at: "checked"; lines: Lines; conflicts: readonly Conflict[] }
  /** Its problems are shown already. */
  | { at: "doubtful"; wish: Wish }
  | { at: "refused"; why: string };

/** One object as YAML: what a change would make of it is shown by the server's dry run before it is applied. */
export function ObjectView(place: Place) {
  const client = useClient();
  const path = pathOf(place);
  /** As it was loaded. */
  const [found, setFound] = useState("");
  const [text, setText] = useState("");
  const [kind, setKind] = useState<KindSchema>();
  const [state, setState] = useState<State>({ at: "editing" });

  const show = (object: object) => {
    const yaml = textOf(object);
    setFound(yaml);
    setText(yaml);
  };
  const load = async (signal?: AbortSignal) => {
    const object = await client.json<KubeObject>(path, { signal });
    if (signal?.aborted) return;
    const draft = draftOf(path);
    show(editable(object));
    if (draft) {
      setFound(draft.found);
      setText(draft.text);
    }
    // Without a schema it can be edited all the same: the server knows what is right.
    const known = await kindSchema(client, place, object.kind ?? "").catch(() => undefined);
    if (!signal?.aborted) setKind(known);
  };
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).catch((why: unknown) => {
      if (!abort.signal.aborted) setState(refusal(why));
    });
    return () => {
      abort.abort();
      if (session.value) forgetDraft(path);
    };
  }, [path]);

  const problems = useMemo(() => (text === found ? [] : problemsOf(text, kind)), [text, found, kind]);
  const edit = (): Edit => ({ path, before: parse(found, YAML), after: parse(text, YAML), kind });
  const attempt = async (act: () => Promise<State>) => {
    setState({ at: "asking" });
    setState(await act().catch(refusal));
  };
  const send = (wish: Wish) =>
    attempt(async () => {
      if (problems.some(({ isYaml }) => isYaml)) throw new Error("This is no YAML yet.");
      if (problems.length > 0 && !wish.unchecked) return { at: "doubtful", wish };
      const { dryRun, accepted = [] } = wish;
      const { conflicts, object } = await apply(client, edit(), { dryRun, accepted });
      if (dryRun || conflicts.length > 0)
        return { at: "checked", lines: shortened(diff(found, textOf(editable(object)))), conflicts };
      forgetDraft(path);
      await load();
      return { at: "applied" };
    });
  const leave = (conflicts: readonly Conflict[]) =>
    attempt(async () => {
      const left = await leaveTheirs(client, edit(), conflicts);
      const draft = { found: textOf(left.before), text: textOf(left.after) };
      keepDraft(path, draft);
      setFound(draft.found);
      setText(draft.text);
      return { at: "editing" };
    });
  const isReady = found !== "" && state.at !== "asking";

  return (
    <>
      <h1>
        {place.name} <small>{`${place.plural}${place.namespace ? ` in ${place.namespace}` : ""}`}</small>
      </h1>
      <Editor
        label="YAML"
        text={text}
        kind={kind}
        problems={problems}
        readOnly={state.at === "asking"}
        change={(to) => {
          setText(to);
          keepDraft(path, { found, text: to });
          setState({ at: "editing" });
        }}
      />
      <div class="actions">
        <button type="button" disabled={!isReady} onClick={() => send({ dryRun: true })}>
          Check
        </button>
        <button type="button" disabled={!isReady} onClick={() => send({ dryRun: false })}>
          Apply
        </button>
        <button
          type="button"
          disabled={state.at === "asking"}
          onClick={() => {
            forgetDraft(path);
            void attempt(() => load().then(() => ({ at: "editing" })));
          }}
        >
          Load anew
        </button>
      </div>
      {state.at === "doubtful" && (
        <div class="notice" role="alert">
          <p class="bad">Not sent: by the cluster's own description of this kind, something is wrong with it.</p>
          <button type="button" onClick={() => send({ ...state.wish, unchecked: true })}>
            Send it all the same
          </button>
        </div>
      )}
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
      {state.at === "checked" && state.conflicts.length > 0 && (
        <Conflicts
          all={state.conflicts}
          takeOver={() => send({ dryRun: false, unchecked: true, accepted: state.conflicts })}
          leave={() => leave(state.conflicts)}
          editAgain={() => setState({ at: "editing" })}
        />
      )}
      {state.at === "checked" && <Diff lines={state.lines} />}
    </>
  );
}

type ConflictsProps = { all: readonly Conflict[]; takeOver(): void; leave(): void; editAgain(): void };

function Conflicts({ all, takeOver, leave, editAgain }: ConflictsProps) {
  return (
    <div class="notice" role="alert">
      <p>Not applied: what you changed is not yours alone.</p>
      <ul>
        {all.map(({ field, why }) => (
          <li key={`${field} ${why}`}>
            <code>{field}</code> {why}
          </li>
        ))}
      </ul>
      <p class="hint">
        Who is taken over from may set it again: a program by itself, a person with the next apply of their own.
      </p>
      <div class="actions">
        <button type="button" onClick={takeOver}>
          Take over
        </button>
        <button type="button" onClick={leave}>
          Leave theirs
        </button>
        <button type="button" onClick={editAgain}>
          Edit again
        </button>
      </div>
    </div>
  );
}

const refusal = (why: unknown): State => ({ at: "refused", why: errorText(why) });

const CLASSES = { "+": "added", "-": "removed", " ": "" } as const;

function Diff({ lines }: { lines: Lines }) {
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
