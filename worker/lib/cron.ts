/**
 * Cron schedules: five fields, or a descriptor. Problems come in the words of the library that kube-apiserver uses.
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */
type Bounds = { min: number; max: number; names: readonly string[] };

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const DESCRIPTORS = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
const EVERY = /^@every ([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$/;

class CronProblem extends Error {}

/** Why `schedule` cannot be read, or undefined. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule === "") return "empty spec string";
  if (schedule.startsWith("@"))
    return DESCRIPTORS.includes(schedule) || EVERY.test(schedule) ? undefined : `unrecognized descriptor: ${schedule}`;
  const fields = schedule.split(/\s+/).filter(Boolean);
  if (fields.length !== FIELDS.length)
    return `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`;
  try {
    for (const [index, bounds] of FIELDS.entries())
      for (const part of (fields[index] ?? "").split(",").filter(Boolean)) checkRange(part, bounds);
    return undefined;
  } catch (error) {
    if (error instanceof CronProblem) return error.message;
    throw error;
  }
}

function checkRange(text: string, { min, max, names }: Bounds): void {
  const fail = (why: string): never => {
    throw new CronProblem(why);
  };
  const [range = "", step, ...moreSteps] = text.split("/");
  const [low = "", high, ...moreHyphens] = range.split("-");
  const anything = low === "*" || low === "?";
  const start = anything ? min : numberOrName(low, names);
  if (moreHyphens.length) fail(`too many hyphens: ${text}`);
  let end = anything ? max : high === undefined ? start : numberOrName(high, names);
  if (moreSteps.length) fail(`too many slashes: ${text}`);
  const every = step === undefined ? 1 : number(step);
  if (step !== undefined && high === undefined) end = max;
  if (start < min) fail(`beginning of range (${start}) below minimum (${min}): ${text}`);
  if (end > max) fail(`end of range (${end}) above maximum (${max}): ${text}`);
  if (start > end) fail(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (every === 0) fail(`step of range should be a positive number: ${text}`);
}

function numberOrName(text: string, names: readonly string[]): number {
  const index = names.indexOf(text.toLowerCase());
  return index < 0 ? number(text) : index + (names === MONTHS ? 1 : 0);
}

function number(text: string): number {
  if (!/^[-+]?[0-9]+$/.test(text))
    throw new CronProblem(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  const value = Number(text);
  if (value < 0) throw new CronProblem(`negative number (${value}) not allowed: ${text}`);
  return value;
}

/** An IANA name that this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
