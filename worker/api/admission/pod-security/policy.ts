import type { FieldError } from "../../../lib/status.ts";
import { invalidValue } from "../../../lib/status.ts";
import { baseline, type Check, type Subject, type Violation } from "./baseline.ts";
import { restricted } from "./restricted.ts";

/** A level of the Pod Security Standards, in the form that a release 1.N gave it. */
export type Rule = { level: "privileged" | "baseline" | "restricted"; version: string };
export type Policy = { enforce: Rule; audit: Rule; warn: Rule };

const LEVELS = ["privileged", "baseline", "restricted"] as const;
const MODES = ["enforce", "audit", "warn"] as const;
const LABEL = "pod-security.kubernetes.io/";
const LATEST = 35;

type Labels = Readonly<Record<string, string>>;

const isLevel = (text: string): text is Rule["level"] => LEVELS.some((level) => level === text);
const isVersion = (text: string) => text === "latest" || /^v1\.([0-9]|[1-9][0-9]*)$/.test(text);

export function* labelProblems(labels: Labels): Iterable<FieldError> {
  for (const mode of MODES) {
    const [level, version] = [labels[LABEL + mode], labels[`${LABEL}${mode}-version`]];
    const at = (name: string) => `metadata.labels[${LABEL}${name}]`;
    if (level !== undefined && !isLevel(level))
      yield invalidValue(at(mode), level, `must be one of ${LEVELS.join(", ")}`);
    if (version !== undefined && !isVersion(version))
      yield invalidValue(at(`${mode}-version`), version, 'must be "latest" or "v1.x"');
  }
}

/**
 * What a namespace's labels ask for. A level that is none is the strictest where it is enforced, and none where it
 * only warns; who enforces a level is warned of it too.
 * https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
export function policyOf(labels: Labels): Policy {
  const read = (mode: string, unknown: Rule["level"]): Rule => {
    const level = labels[LABEL + mode];
    const version = labels[`${LABEL}${mode}-version`] ?? "latest";
    return {
      level: level === undefined ? "privileged" : isLevel(level) ? level : unknown,
      version: isVersion(version) ? version : "latest",
    };
  };
  const enforce = read("enforce", "restricted");
  const audit = read("audit", "privileged");
  const warn = read("warn", "privileged");
  if (labels[`${LABEL}warn`] !== undefined || !isLevel(labels[`${LABEL}enforce`] ?? ""))
    return { enforce, audit, warn };
  const hasVersion = labels[`${LABEL}warn-version`] !== undefined;
  return { enforce, audit, warn: { level: enforce.level, version: hasVersion ? warn.version : enforce.version } };
}

export const isStricter = (a: Rule, b: Rule): boolean => LEVELS.indexOf(a.level) > LEVELS.indexOf(b.level);

/** What of a pod breaks the rule, by the checks' names. */
export function violations({ level, version }: Rule, subject: Omit<Subject, "minor">): Violation[] {
  const minor = version === "latest" ? LATEST : Number(version.slice("v1.".length));
  return checksOf(level, minor).flatMap((check) => check.find({ ...subject, minor }) ?? []);
}

function checksOf(level: Rule["level"], minor: number): Check[] {
  if (level === "privileged") return [];
  const known = (checks: readonly Check[]) => checks.filter(({ since = 0 }) => minor >= since);
  const strict = level === "restricted" ? known(restricted) : [];
  const replaced = new Set(strict.map(({ overrides }) => overrides));
  return [...known(baseline).filter(({ id }) => !replaced.has(id)), ...strict];
}

/** `violates PodSecurity "restricted:latest": …`, after the verb. */
export const describe = ({ level, version }: Rule, found: readonly Violation[]): string =>
  `PodSecurity "${level}:${version}": ${found.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(", ")}`;
