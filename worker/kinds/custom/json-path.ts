/**
 * The JSONPath of printer columns and selectable fields: names, quoted names, indexes, `[*]`, `..`-free, and filters
 * that compare one field with a literal. https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
type Step =
  | { type: "field"; name: string }
  | { type: "index"; index: number }
  | { type: "all" }
  | { type: "filter"; path: string[]; operator: "==" | "!="; value: unknown };

class JsonPathError extends Error {
  override readonly name = "JsonPathError";
}

const STEP =
  /^(?:\.((?:\\.|[^.[\]\\\s])+)|\[(-?\d+)\]|\[\*\]|\.\*|\['((?:\\.|[^'\\])*)'\]|\["((?:\\.|[^"\\])*)"\]|\[\?\(\s*@((?:\.[\w-]+)+)\s*(==|!=)\s*("[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)\s*\)\])/;

/** Throws JsonPathError for what is none. */
export function parseJsonPath(path: string): Step[] {
  const steps: Step[] = [];
  let rest = path;
  while (rest) {
    const match = STEP.exec(rest);
    if (!match) throw new JsonPathError(`unrecognized character in action: ${JSON.stringify(rest.slice(0, 20))}`);
    steps.push(stepOf(match));
    rest = rest.slice(match[0].length);
  }
  return steps;
}

function stepOf([text, name, index, single, double, within, operator, literal]: RegExpExecArray): Step {
  const field = name ?? single ?? double;
  if (field !== undefined) return { type: "field", name: field.replace(/\\(.)/g, "$1") };
  if (index !== undefined) return { type: "index", index: Number(index) };
  if (within === undefined) return { type: "all" };
  const value = /^["']/.test(literal ?? "") ? literal?.slice(1, -1) : JSON.parse(literal ?? "null");
  if (!text) throw new JsonPathError("empty filter");
  return { type: "filter", path: within.slice(1).split("."), operator: operator as "==" | "!=", value };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Every value that the path leads to, in order. */
export function valuesAt(steps: readonly Step[], root: unknown): unknown[] {
  let values: unknown[] = [root];
  for (const step of steps) values = values.flatMap((value) => follow(step, value));
  return values;
}

function follow(step: Step, value: unknown): unknown[] {
  if (!isObject(value)) return [];
  switch (step.type) {
    case "field":
      return Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case "index":
      return Array.isArray(value) ? value.slice(step.index).slice(0, 1) : [];
    case "all":
      return Object.values(value);
    case "filter": {
      const wanted = step.operator === "==";
      return Object.values(value).filter((item) => (inside(item, step.path) === step.value) === wanted);
    }
  }
}

const inside = (item: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), item);
