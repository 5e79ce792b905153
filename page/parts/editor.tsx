/** A text of YAML with what may be written next and what is wrong so far: by keys, by touch and to who hears it. */
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Completion, completionAt } from "../editing/completion.ts";
import type { Problem } from "../editing/problems.ts";
import type { KindSchema } from "../editing/schema.ts";

export type EditorProps = {
  label: string;
  text: string;
  kind: KindSchema | undefined;
  problems: readonly Problem[];
  readOnly: boolean;
  change(text: string): void;
};

/** What is offered, and which of it is chosen: none until a key says so, for Enter and Tab mean what they always do. */
type Offer = Completion & { chosen: number };

export function Editor({ label, text, kind, problems, readOnly, change }: EditorProps) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const [offer, setOffer] = useState<Offer>();
  const caret = useRef<number | undefined>(undefined);

  // The caret goes behind what was taken, before the next key.
  useLayoutEffect(() => {
    if (caret.current === undefined) return;
    area.current?.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  }, [text]);

  const look = (chosen: number) => {
    const { value = "", selectionStart = 0, selectionEnd = 0 } = area.current ?? {};
    const found = kind && !readOnly && selectionStart === selectionEnd && completionAt(value, selectionStart, kind);
    setOffer(found ? { ...found, chosen } : undefined);
  };
  const take = (at: number) => {
    const taken = offer?.suggestions[at];
    const { current } = area;
    if (!offer || !taken || !current) return;
    const { value, selectionStart } = current;
    caret.current = offer.from + taken.text.length;
    setOffer(undefined);
    change(value.slice(0, offer.from) + taken.text + value.slice(selectionStart));
    current.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      look(0);
      return;
    }
    if (!offer || event.isComposing) return;
    const { length } = offer.suggestions;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") setOffer(undefined);
    else if (move)
      setOffer({
        ...offer,
        chosen: offer.chosen < 0 && move < 0 ? length - 1 : (offer.chosen + move + length) % length,
      });
    else if (["Enter", "Tab"].includes(event.key) && offer.chosen >= 0 && !event.shiftKey) take(offer.chosen);
    else return;
    event.preventDefault();
  };
  const go = ({ line }: Problem) => {
    const start =
      text
        .split("\n")
        .slice(0, line - 1)
        .join("\n").length + (line > 1 ? 1 : 0);
    const end = text.indexOf("\n", start);
    area.current?.focus();
    area.current?.setSelectionRange(start, end < 0 ? text.length : end);
  };

  return (
    <>
      <div class="editor">
        <label>
          {label}
          <textarea
            ref={area}
            class="yaml"
            wrap="off"
            spellcheck={false}
            autocapitalize="none"
            autocomplete="off"
            value={text}
            readOnly={readOnly}
            rows={Math.min(40, text.split("\n").length + 1)}
            aria-autocomplete="list"
            aria-controls={offer ? id : undefined}
            aria-activedescendant={offer && offer.chosen >= 0 ? `${id}-${offer.chosen}` : undefined}
            aria-describedby={`${id}-problems`}
            onKeyDown={press}
            onInput={({ currentTarget }) => {
              change(currentTarget.value);
              const before = currentTarget.value.slice(0, currentTarget.selectionStart);
              if (/[\w.$/-]$/.test(before)) look(-1);
              else setOffer(undefined);
            }}
            onClick={() => setOffer(undefined)}
            onBlur={() => setOffer(undefined)}
          />
        </label>
        {offer && <Suggestions id={id} offer={offer} area={area.current} take={take} />}
        <span class="unseen" role="status">
          {offer ? `${offer.suggestions.length} suggestions, chosen by the arrow keys` : ""}
        </span>
      </div>
      {kind && (
        // Pressing it leaves the caret where it is: a phone has no Ctrl and Space.
        <button
          type="button"
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => look(0)}
          disabled={readOnly}
        >
          Suggest <small>Ctrl Space</small>
        </button>
      )}
      <ul id={`${id}-problems`} class="plain" aria-label="Problems">
        {problems.map((problem) => (
          <li key={`${problem.line} ${problem.what}`}>
            <button type="button" class="link" onClick={() => go(problem)}>
              {`Line ${problem.line}`}
            </button>{" "}
            <span class="bad">{problem.what}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

type SuggestionsProps = { id: string; offer: Offer; area: HTMLTextAreaElement | null; take(at: number): void };

/** Below the line that is written. */
function Suggestions({ id, offer, area, take }: SuggestionsProps) {
  const place = useMemo(() => below(area, offer.from), [area, offer.from]);
  const chosen = useRef<HTMLDivElement>(null);
  useEffect(() => chosen.current?.scrollIntoView({ block: "nearest" }), [offer.chosen]);
  return (
    <div id={id} class="suggestions" role="listbox" aria-label="Suggestions" style={place}>
      {offer.suggestions.map(({ label, hint }, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the text's, which keeps the focus
        // biome-ignore lint/a11y/useFocusableInteractive: the text names the chosen one
        <div
          key={label}
          id={`${id}-${at}`}
          ref={at === offer.chosen ? chosen : undefined}
          role="option"
          aria-selected={at === offer.chosen}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => take(at)}
        >
          {label} <small>{hint}</small>
        </div>
      ))}
    </div>
  );
}

function below(area: HTMLTextAreaElement | null, at: number): { top: string; left: string } | undefined {
  if (!area) return undefined;
  const lines = area.value.slice(0, at).split("\n");
  const { lineHeight, paddingTop } = getComputedStyle(area);
  const top =
    area.offsetTop + Number.parseFloat(paddingTop) + lines.length * Number.parseFloat(lineHeight) - area.scrollTop;
  return { top: `${top}px`, left: `min(${lines.at(-1)?.length ?? 0}ch, 40%)` };
}
