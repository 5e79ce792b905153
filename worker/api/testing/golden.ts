/**
 * Replays recorded sessions with kube-apiserver against an app, and tells where the answers differ. Recordings hold
 * placeholders for what no two servers share (`<time>`, `<uid-1>`, `#2`, …); each placeholder must stand for the same
 * value throughout one case.
 */
export type Case = { name: string; area: string; namespaceLabels?: Record<string, string>; steps: Step[] };
type Step = {
  request: { method: string; path: string; headers?: Record<string, string | null>; body?: unknown; bodyText?: string };
  response: { status: number; contentType?: string; warnings?: string[]; body?: unknown };
  noBody?: boolean;
  pick?: string[];
  /** Waits before it is asked. */
  delayMs?: number;
  /** Is asked again until it is so. */
  until?: { status?: number; pointer?: string; equals?: unknown };
};

export type Send = (
  path: string,
  init: { method: string; headers: Record<string, string>; body?: string },
) => Promise<Response>;

type Answer = { status: number; contentType: string | null; warnings: string[]; body: unknown };

const at = (value: unknown, pointer: string): unknown =>
  pointer
    .split("/")
    .slice(1)
    .reduce<unknown>(
      (inner, key) => (inner as Record<string, unknown> | undefined)?.[key.replaceAll("~1", "/").replaceAll("~0", "~")],
      value,
    );

/** What a placeholder may stand for. */
const PLACEHOLDERS: readonly [RegExp, string][] = [
  [/^<time(?:\.\d)?>/, "\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z"],
  [/^<uid-\d+>/, "[0-9a-f-]{36}"],
  [/^#\d+/, "\\d+"],
  [/^>=#\d+/, "\\d+"],
  [/^<rv>/, "\\d+"],
  [/^<jwt>/, "eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+"],
  [/^<cluster-ip-\d+>/, "[\\d.]+"],
  [/^<node-port-\d+>/, "\\d+"],
  [/^<continue>/, ".+"],
  [/^<gen-\d+>/, "[a-z0-9]{5}"],
  [/^<gen>/, "[a-z0-9]{5}"],
  [/^<hash>/, "[0-9A-F]+"],
];
/** Placeholders that name one value of the case. */
const NAMED = /-\d+>$|^#\d+$/;

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

class Matcher {
  readonly #ns: string;
  readonly #bound = new Map<string, string>();

  constructor(ns: string) {
    this.#ns = ns;
  }

  /** Differences as lines of text; none when `actual` is what was recorded. */
  compare(expected: unknown, actual: unknown, path = ""): string[] {
    if (typeof expected === "string" && (typeof actual === "string" || typeof actual === "number"))
      return this.#text(expected, String(actual)) ? [] : [`${path}: expected ${expected}, got ${actual}`];
    if (typeof expected !== "object" || typeof actual !== "object" || !expected || !actual)
      return expected === actual
        ? []
        : [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)?.slice(0, 300)}`];
    const [before, after] = [expected, actual] as Record<string, unknown>[];
    const named = new Map(Object.keys(before ?? {}).map((key) => [this.#keyFor(key, after ?? {}), key]));
    return [...new Set([...named.keys(), ...Object.keys(after ?? {})])].flatMap((key) =>
      this.compare(before?.[named.get(key) ?? key], after?.[key], `${path}/${key}`),
    );
  }

  /** The key that a recorded one stands for: those of managedFields hold values. */
  #keyFor(key: string, actual: object): string {
    if (!key.includes("<") || Object.hasOwn(actual, key)) return key;
    return Object.keys(actual).find((other) => this.#text(key, other)) ?? key;
  }

  #text(expected: string, actual: string): boolean {
    const names: string[] = [];
    let pattern = "";
    let rest = expected.replaceAll("{ns}", this.#ns);
    while (rest !== "") {
      const found = PLACEHOLDERS.map(([token, value]) => ({ token: token.exec(rest)?.[0], value })).find(
        ({ token }) => token,
      );
      const token = found?.token;
      if (!token) {
        pattern += escaped(rest.charAt(0));
        rest = rest.slice(1);
        continue;
      }
      names.push(token);
      pattern += `(${this.#bound.has(token) ? escaped(this.#bound.get(token) as string) : found.value})`;
      rest = rest.slice(token.length);
    }
    const match = new RegExp(`^${pattern}$`, "s").exec(actual);
    if (!match) return false;
    for (const [index, name] of names.entries())
      if (NAMED.test(name)) this.#bound.set(name, match[index + 1] as string);
    return true;
  }
}

function fill<T>(value: T, ns: string, answers: readonly Answer[]): T {
  const look = (reference: string) => at({ steps: answers }, `/steps/${reference.replaceAll(".", "/")}`);
  const text = (template: string): unknown => {
    const whole = /^\{steps\.([\w.-]+)\}$/.exec(template)?.[1];
    if (whole) return look(whole);
    return template
      .replaceAll("{ns}", ns)
      .replace(/\{steps\.([\w.-]+)\}/g, (_, reference: string) => String(look(reference)));
  };
  const walk = (inner: unknown): unknown => {
    if (typeof inner === "string") return text(inner);
    if (Array.isArray(inner)) return inner.map(walk);
    if (inner === null || typeof inner !== "object") return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, entry]) => [walk(key), walk(entry)]));
  };
  return walk(value) as T;
}

function parseBody(text: string, contentType: string | null, isWatch: boolean): unknown {
  if (text === "") return isWatch ? [] : undefined;
  if (!contentType?.startsWith("application/json")) return text;
  const lines = isWatch ? text.trim().split("\n") : [text];
  const values = lines.map((line) => JSON.parse(line) as unknown);
  return isWatch ? values : values[0];
}

async function ask(send: Send, step: Step, ns: string, answers: readonly Answer[], token: string): Promise<Answer> {
  const { method, path, headers, body, bodyText } = fill(step.request, ns, answers);
  const data = bodyText ?? (body === undefined ? undefined : JSON.stringify(body));
  const sent: Record<string, string> = data === undefined ? {} : { "content-type": "application/json" };
  sent.authorization = `Bearer ${token}`;
  for (const [name, value] of Object.entries(headers ?? {}))
    if (value === null) delete sent[name];
    else sent[name] = value;
  const response = await send(path, { method, headers: sent, ...(data !== undefined && { body: data }) });
  const contentType = response.headers.get("content-type");
  const isWatch = response.status === 200 && /[?&]watch=(true|1)/.test(path);
  const warning = response.headers.get("warning");
  return {
    status: response.status,
    contentType,
    warnings: warning === null ? [] : warning.split(/, (?=299 )/),
    body: parseBody(await response.text(), contentType, isWatch),
  };
}

const isMet = ({ until }: Step, { status, body }: Answer): boolean =>
  (until?.status === undefined || status === until.status) &&
  (until?.pointer === undefined || JSON.stringify(at(body, until.pointer)) === JSON.stringify(until.equals));

/** What a replay needs of its server: the administrator's token, and to let time pass. */
export type Replaying = { token?: string; sleep?: (ms: number) => Promise<void> };

const POLL_MS = 100;
const MAX_POLLS = 100;

/** Runs one case in the namespace `ns`, which is there. Returns the differences. */
export async function replay(
  send: Send,
  { steps }: Case,
  ns: string,
  { token = "admin", sleep = () => Promise.resolve() }: Replaying = {},
): Promise<string[]> {
  const answers: Answer[] = [];
  const matcher = new Matcher(ns);
  const problems: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (step.delayMs) await sleep(step.delayMs);
    let answer = await ask(send, step, ns, answers, token);
    for (let poll = 0; poll < MAX_POLLS && !isMet(step, answer); poll++) {
      await sleep(POLL_MS);
      answer = await ask(send, step, ns, answers, token);
    }
    answers.push(answer);
    const kept: Record<string, unknown> = { status: answer.status, contentType: answer.contentType };
    if (answer.warnings.length) kept.warnings = answer.warnings;
    if (step.pick)
      kept.body = Object.fromEntries(step.pick.map((pointer) => [pointer, at(answer.body, pointer) ?? null]));
    else if (!step.noBody && answer.body !== undefined) kept.body = answer.body;
    problems.push(...matcher.compare(step.response, JSON.parse(JSON.stringify(kept)), `/${index}`));
  }
  return problems;
}
