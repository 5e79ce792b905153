/** Equal lines that are shown around a change. */
const CONTEXT = 3;

/** Changes between two texts by lines, as `diff -u` shows them, without file names; "" where they are equal. */
export function unifiedDiff(before: string, after: string): string {
  const edits = compare(before.split("\n"), after.split("\n"));
  const changed = edits.flatMap((edit, index) => (edit.mark === " " ? [] : [index]));
  let text = "";
  for (let at = 0; at < changed.length; ) {
    let last = at;
    while (last + 1 < changed.length && (changed[last + 1] ?? 0) - (changed[last] ?? 0) <= 2 * CONTEXT + 1) last++;
    const from = Math.max(0, (changed[at] ?? 0) - CONTEXT);
    const to = Math.min(edits.length, (changed[last] ?? 0) + CONTEXT + 1);
    text += hunk(edits, from, to);
    at = last + 1;
  }
  return text;
}

type Edit = { mark: " " | "-" | "+"; line: string };

function hunk(edits: readonly Edit[], from: number, to: number): string {
  const lines = (list: readonly Edit[], without: string) => list.filter(({ mark }) => mark !== without).length;
  const [before, shown] = [edits.slice(0, from), edits.slice(from, to)];
  const old = `${lines(before, "+") + 1},${lines(shown, "+")}`;
  const now = `${lines(before, "-") + 1},${lines(shown, "-")}`;
  return `@@ -${old} +${now} @@\n${shown.map(({ mark, line }) => `${mark}${line}\n`).join("")}`;
}

/** The shortest list of edits outside of the common head and tail. */
function compare(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const keep = (line: string): Edit => ({ mark: " ", line });
  return [
    ...a.slice(0, head).map(keep),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(keep),
  ];
}

/** Past this many pairs of lines a whole replacement is shown rather than the shortest edit. */
const MAX_PAIRS = 1_000_000;

function middle(a: readonly string[], b: readonly string[]): Edit[] {
  const removed = (line: string): Edit => ({ mark: "-", line });
  const added = (line: string): Edit => ({ mark: "+", line });
  if (a.length * b.length > MAX_PAIRS) return [...a.map(removed), ...b.map(added)];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    if (x !== undefined && x === y) {
      edits.push({ mark: " ", line: x });
      i++;
      j++;
    } else if (x !== undefined && (y === undefined || at(i + 1, j) >= at(i, j + 1))) {
      edits.push(removed(x));
      i++;
    } else if (y !== undefined) {
      edits.push(added(y));
      j++;
    }
  }
  return edits;
}
