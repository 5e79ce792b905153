/** What compose files say, each value with the place where it is written. */

/** Where a value is written. Paths in it are relative to `folder`. */
export type Place = { file: string; line: number; folder: string };

export type Scalar = string | number | boolean | null;

type Written = {
  at: Place;
  /** By its tag: the value of a file before is forgotten, or not merged with. */
  tag?: "reset" | "override";
};
export type ScalarNode = Written & { kind: "scalar"; value: Scalar; text: string };
export type ListNode = Written & { kind: "list"; items: readonly Node[] };
export type MapNode = Written & { kind: "map"; entries: ReadonlyMap<string, Node> };
export type Node = ScalarNode | ListNode | MapNode;

export const scalar = (at: Place, value: Scalar): ScalarNode => ({
  kind: "scalar",
  at,
  value,
  text: value === null ? "" : String(value),
});
export const map = (at: Place, entries: Iterable<readonly [string, Node]>): MapNode => ({
  kind: "map",
  at,
  entries: new Map(entries),
});

/** `invalid` is no compose file, `refused` is one that cannot be had so in Kubernetes, a `note` tells what differs. */
export type Severity = "invalid" | "refused" | "note";

export type Problem = {
  severity: Severity;
  at: Place;
  /** E.g. `services.web.ports[0]`. */
  path: string;
  says: string;
  /** What to do instead. */
  next?: string;
};

/** `compose.yaml:7: services.web.devices: …; give it …` */
export function problemText({ at, path, says, next }: Problem): string {
  const place = at.line > 0 ? `${at.file}:${at.line}` : at.file;
  return `${place}: ${path}: ${says}${next ? `: ${next}` : ""}`;
}

/** Something is to be read of a node; what is wrong with it is told, and reading goes on. */
export class Value {
  readonly node: Node;
  readonly path: string;
  private readonly problems: Problem[];

  constructor(node: Node, path: string, problems: Problem[]) {
    this.node = node;
    this.path = path;
    this.problems = problems;
  }

  private inner(name: string): string {
    return this.path ? `${this.path}.${name}` : name;
  }

  private tell(severity: Severity, says: string, next?: string): undefined {
    const { at } = this.node;
    const told = this.problems.some((problem) => problem.path === this.path && problem.says === says);
    if (!told) this.problems.push({ severity, at, path: this.path, says, next });
  }

  invalid(says: string, next?: string): undefined {
    return this.tell("invalid", says, next);
  }

  refuse(says: string, next?: string): undefined {
    return this.tell("refused", says, next);
  }

  note(says: string, next?: string): undefined {
    return this.tell("note", says, next);
  }

  get isNull(): boolean {
    return this.node.kind === "scalar" && this.node.value === null;
  }

  get isMap(): boolean {
    return this.node.kind === "map";
  }

  get isList(): boolean {
    return this.node.kind === "list";
  }

  /** A file of this name, in the folder that the value is relative to. */
  get folder(): string {
    return this.node.at.folder;
  }

  /** Of a map; what is null counts as absent. */
  get(name: string): Value | undefined {
    const found = this.node.kind === "map" ? this.node.entries.get(name) : undefined;
    const value = found && new Value(found, this.inner(name), this.problems);
    return value?.isNull ? undefined : value;
  }

  entries(): [string, Value][] {
    if (this.isNull) return [];
    if (this.node.kind !== "map") return this.invalid("must be a mapping") ?? [];
    return [...this.node.entries].map(([name, node]) => [name, new Value(node, this.inner(name), this.problems)]);
  }

  items(): Value[] {
    if (this.isNull) return [];
    if (this.node.kind !== "list") return this.invalid("must be a list") ?? [];
    return this.node.items.map((node, index) => new Value(node, `${this.path}[${index}]`, this.problems));
  }

  text(): string | undefined {
    if (this.node.kind === "scalar") return this.node.text;
    return this.invalid("must be a string");
  }

  /** As YAML has it, so that a number is none of a string's. */
  get scalar(): Scalar | undefined {
    return this.node.kind === "scalar" ? this.node.value : undefined;
  }

  number(): number | undefined {
    const text = this.text();
    if (text === undefined) return undefined;
    const value = Number(text);
    return text.trim() === "" || !Number.isFinite(value) ? this.invalid(`must be a number, not ${text}`) : value;
  }

  integer(): number | undefined {
    const value = this.number();
    return value === undefined || Number.isInteger(value) ? value : this.invalid("must be a whole number");
  }

  flag(): boolean | undefined {
    const text = this.text()?.toLowerCase();
    if (text === undefined) return undefined;
    if (["true", "yes", "on", "y", "1"].includes(text)) return true;
    if (["false", "no", "off", "n", "0", ""].includes(text)) return false;
    return this.invalid(`must be true or false, not ${text}`);
  }

  /** One string, or a list of them. */
  texts(): string[] {
    const values = this.isList ? this.items() : [this];
    return values.map((value) => value.text()).filter((text) => text !== undefined);
  }

  /** Tells of names that are none of these; `x-` may begin any. */
  only(names: readonly string[], what = "attribute"): void {
    if (this.isNull) return;
    for (const [name, value] of this.entries())
      if (!names.includes(name) && !name.startsWith("x-"))
        value.invalid(`there is no such ${what}`, meant(name, names));
  }
}

function meant(name: string, names: readonly string[]): string | undefined {
  const near = names.map((known) => ({ known, far: distance(name, known) })).toSorted((a, b) => a.far - b.far)[0];
  return near && near.far <= 2 ? `did you mean ${near.known}?` : undefined;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
