/** The page: what each scenario used, and what that is in money. */
import {
  type Billed,
  beyondIncluded,
  billed,
  DAYS_PER_MONTH,
  fullPrice,
  LINES,
  overDays,
  PAID_PLAN_PER_MONTH,
  PRICES_READ,
  tightest,
} from "../../../worker/lib/facts/prices.ts";
import type { Metered, Scenario } from "./scenarios.ts";
import type { Usage } from "./usage.ts";

export type Result = { scenario: Pick<Scenario, "title" | "what" | "per">; usage: Metered };

/** Two digits that say something, and thousands in groups. */
function number(value: number): string {
  if (value === 0) return "0";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const rounded = value < 0.01 ? value.toPrecision(1) : value.toFixed(digits);
  const [whole = "", fraction = ""] = rounded.split(".");
  const kept = fraction.replace(/0+$/, "");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (kept ? `.${kept}` : "");
}

const money = (dollars: number) => (dollars === 0 ? "$0" : dollars < 0.005 ? "< $0.01" : `$${dollars.toFixed(2)}`);
const row = (...cells: string[]) => `| ${cells.join(" | ")} |`;

function table(head: readonly string[], rows: readonly string[][]): string[] {
  const align = head.map((_, n) => (n === 0 ? "---" : "---:"));
  return [row(...head), row(...align), ...rows.map((cells) => row(...cells))];
}

const COLUMNS: readonly [string, (usage: Usage, bill: Billed) => number][] = [
  ["Worker requests", (_, bill) => bill.workerRequests],
  ["object requests, alarms", ({ objectRequests, alarms }) => objectRequests + alarms],
  ["socket messages", ({ messages }) => messages],
  ["awake, s", ({ awakeMs }) => awakeMs / 1000],
  ["rows read", (_, bill) => bill.rowsRead],
  ["rows written", ({ rowsWritten }) => rowsWritten],
  ["and later", ({ rowsLater }) => rowsLater],
  ["stored, MB", ({ storedBytes }) => storedBytes / 1e6],
];

function used(results: readonly Result[]): string[] {
  return table(
    ["", ...COLUMNS.map(([name]) => name)],
    results.map(({ scenario, usage }) => [
      scenario.title,
      ...COLUMNS.map(([, value]) => number(value(usage, billed(usage)))),
    ]),
  );
}

function perDay(results: readonly Result[]): string[] {
  return table(
    ["", "of the free plan's day", "which is full first", "a month on the paid plan", "were nothing included"],
    results.map(({ scenario, usage }) => {
      const day = billed(usage);
      const { share, line } = tightest(day);
      const month = overDays(day, DAYS_PER_MONTH);
      return [
        scenario.title,
        `${number(share * 100)} %`,
        share === 0 ? "" : line.name,
        money(PAID_PLAN_PER_MONTH + beyondIncluded(month)),
        money(fullPrice(month)),
      ];
    }),
  );
}

function perTime(results: readonly Result[]): string[] {
  return table(
    ["", "on the free plan, a day", "which is full first", "a thousand, were nothing included"],
    results.map(({ scenario, usage }) => {
      const { share, line } = tightest(billed(usage));
      const once = fullPrice({ ...billed(usage), storedGb: 0 }) * 1000;
      return [scenario.title, number(Math.floor(1 / share)), line.name, money(once)];
    }),
  );
}

export function page(results: readonly Result[]): string {
  const days = results.filter(({ scenario }) => scenario.per === "day");
  const occasions = results.filter(({ scenario }) => scenario.per === "time");
  return `${[
    "# What a cluster costs on Cloudflare",
    "",
    "Made by `npm run cost`: the Worker's own code on raw workerd with a meter around it. Counts are what Cloudflare bills;",
    "times are this machine's, so an object's duration on Cloudflare differs, and the Worker's CPU time is not metered.",
    `Prices as of ${PRICES_READ} are in \`worker/lib/facts/prices.ts\`. Where ${PAID_PLAN_PER_MONTH} dollars stand, that is the paid plan's base price.`,
    "",
    ...results.map(
      ({ scenario, usage: { seen } }) => `- **${scenario.title}**: ${scenario.what}${seen ? ` Seen: ${seen}.` : ""}`,
    ),
    "",
    "## A day",
    "",
    ...used(days),
    "",
    ...perDay(days),
    "",
    "Messages are billed 20 to a request. What is written is written to once more later, when the log is compacted and events",
    "expire. An idle cluster of several nodes pays for one word of a watchman every 20 s, whatever their number; it reads and",
    "writes no row. Watches end after 30 to 60 minutes and are opened anew, which is in the requests.",
    "",
    "Rows written are what the free plan runs out of. A pod's Events are about half of them, and a leader election that renews",
    "its Lease every 2 s, as client-go does by default, needs more than a day has: give such operators longer times, or the",
    "paid plan. Tokens that pods mount are asked for anew every 48 minutes, one message each, and are in none of these.",
    "",
    "The audit log takes one row for all that users change in one turn, where a change alone takes two or three; what nodes,",
    "controllers and leader elections write is not in it. Reads of Secrets and refusals take one in 200 ms at most.",
    "",
    "## Each time",
    "",
    ...used(occasions),
    "",
    ...perTime(occasions),
    "",
    `The free plan's day: ${Object.values(LINES)
      .map(({ name, unit, freePerDay }) => `${number(freePerDay)} ${unit ? `${unit} of ` : ""}${name}`)
      .join(", ")}; 5 GB stored in all.`,
    "",
  ].join("\n")}`;
}
