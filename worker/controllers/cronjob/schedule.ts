/**
 * When a cron schedule comes round. `worker/lib/cron.ts` says what is wrong with one; here it is taken to be right.
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A schedule such as 30 February never comes round. */
const HORIZON = 5 * 366 * DAY;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const DESCRIPTORS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: MINUTE, h: HOUR };

type Fields = {
  minutes: Set<number>;
  hours: Set<number>;
  days: Set<number>;
  months: Set<number>;
  weekdays: Set<number>;
};
export type Schedule = { everyMs: number } | (Fields & { anyDay: boolean; anyWeekday: boolean });

export function parseSchedule(text: string): Schedule {
  if (text.startsWith("@every ")) {
    const parts = [...text.matchAll(/([0-9.]+)(ms|s|m|h)/g)];
    return {
      everyMs: Math.max(
        1000,
        parts.reduce((sum, [, n, unit = "s"]) => sum + Number(n) * (UNITS[unit] ?? 0), 0),
      ),
    };
  }
  const [minute = "*", hour = "*", day = "*", month = "*", weekday = "*"] = (DESCRIPTORS[text] ?? text)
    .split(/\s+/)
    .filter(Boolean);
  return {
    minutes: values(minute, 0, 59),
    hours: values(hour, 0, 23),
    days: values(day, 1, 31),
    months: values(month, 1, 12, MONTHS),
    weekdays: values(weekday, 0, 6, WEEKDAYS),
    anyDay: /^[*?]/.test(day),
    anyWeekday: /^[*?]/.test(weekday),
  };
}

function values(field: string, min: number, max: number, names: readonly string[] = []): Set<number> {
  const number = (word: string) => {
    const index = names.indexOf(word.toLowerCase());
    return index < 0 ? Number(word) : index + min;
  };
  const all = new Set<number>();
  for (const part of field.split(",").filter(Boolean)) {
    const [range = "*", step] = part.split("/");
    const [low = "*", high] = range.split("-");
    const any = low === "*" || low === "?";
    const start = any ? min : number(low);
    const end = any ? max : high !== undefined ? number(high) : step !== undefined ? max : start;
    for (let value = start; value <= end; value += Number(step ?? 1)) all.add(value);
  }
  return all;
}

type Wall = { minute: number; hour: number; day: number; month: number; weekday: number };
const clocks = new Map<string, Intl.DateTimeFormat>();

/** What a clock in that zone shows. Seconds are dropped: no zone in use today is off by less than a minute. */
function wallClock(time: number, zone: string): Wall {
  let clock = clocks.get(zone);
  if (!clock) {
    const numeric = "numeric";
    clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      weekday: "short",
    });
    clocks.set(zone, clock);
  }
  const parts = Object.fromEntries(clock.formatToParts(time).map(({ type, value }) => [type, value]));
  return {
    minute: Number(parts.minute),
    hour: Number(parts.hour),
    day: Number(parts.day),
    month: Number(parts.month),
    weekday: WEEKDAYS.indexOf((parts.weekday ?? "").toLowerCase()),
  };
}

/** The first time after `after`, ms since the epoch; undefined when it never comes. */
export function nextTime(schedule: Schedule, after: number, zone = "UTC"): number | undefined {
  if ("everyMs" in schedule) return Math.floor(after / 1000) * 1000 + schedule.everyMs;
  let time = Math.floor(after / MINUTE) * MINUTE + MINUTE;
  const end = after + HORIZON;
  while (time < end) {
    const wall = wallClock(time, zone);
    if (!onDay(schedule, wall)) time += (23 - wall.hour) * HOUR + (60 - wall.minute) * MINUTE;
    else if (!schedule.hours.has(wall.hour)) time += (60 - wall.minute) * MINUTE;
    else if (!schedule.minutes.has(wall.minute)) time += MINUTE;
    else return time;
    time = backToMidnight(time, wall, zone);
  }
  return undefined;
}

/**
 * A step over a day that is an hour short lands past midnight: back to it, unless it is the midnight hour itself that
 * the day lacks.
 */
function backToMidnight(time: number, before: Wall, zone: string): number {
  const landed = wallClock(time, zone);
  if (landed.day === before.day || landed.hour === 0) return time;
  const midnight = time - landed.hour * HOUR - landed.minute * MINUTE;
  return wallClock(midnight, zone).day === landed.day ? midnight : time;
}

/** With both a day of the month and a weekday given, either one does. */
function onDay(
  { months, days, weekdays, anyDay, anyWeekday }: Exclude<Schedule, { everyMs: number }>,
  wall: Wall,
): boolean {
  if (!months.has(wall.month)) return false;
  const day = days.has(wall.day);
  const weekday = weekdays.has(wall.weekday);
  return anyDay || anyWeekday ? day && weekday : day || weekday;
}
