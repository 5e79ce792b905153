/** `skerry kept-logs`: what stays of the logs of pods, also of those that are gone. */
import { pipeline } from "node:stream/promises";
import type { KeptLog } from "../../worker/lib/facts/kept-log.ts";
import type { Printed } from "./command-options.ts";
import type { Home } from "./home.ts";
import { openChecked, type Server, sendChecked } from "./http.ts";
import { type Reach, reach } from "./reach.ts";
import { printable, printJson, table } from "./terminal.ts";

export type KeptLogsOptions = Reach &
  Printed & {
    container?: string;
    uid?: string;
    tail?: string;
    since?: string;
    timestamps?: boolean;
  };

const print = (text: string) => process.stdout.write(`${text}\n`);

/** `what` is NAMESPACE or NAMESPACE/POD; all namespaces without it. */
export async function keptLogs(home: Home, what: string | undefined, options: KeptLogsOptions): Promise<void> {
  const server = await reach(home, options);
  const [namespace = "", pod] = (what ?? "").split("/");
  if (pod && options.json) throw new Error("a pod's log is text: --json is for what logs there are");
  if (pod)
    return printText(server, `/skerry/logs/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}`, options);
  const path = what === undefined ? "/skerry/logs" : `/skerry/logs/${encodeURIComponent(namespace)}`;
  const { body } = await sendChecked(server, "GET", path);
  if (options.json) printJson(body.items);
  else if (what === undefined)
    for (const item of (body as { items: { namespace: string }[] }).items) print(printable(item.namespace));
  else printTable(namespace, (body as { items: KeptLog[] }).items);
}

async function printText(server: Server, path: string, options: KeptLogsOptions): Promise<void> {
  const { container, uid, tail, since, timestamps } = options;
  const query = new URLSearchParams({
    ...(container && { container }),
    ...(uid && { uid }),
    ...(tail && { tailLines: tail }),
    ...(since && { sinceTime: since }),
    ...(timestamps && { timestamps: "true" }),
  });
  await pipeline(await openChecked(server, "GET", `${path}?${query}`), process.stdout, { end: false });
}

const COLUMNS = ["POD", "CONTAINER", "ATTEMPT", "FIRST", "LAST", "BYTES", "UID"];

function printTable(namespace: string, logs: readonly KeptLog[]): void {
  if (logs.length === 0)
    return void process.stderr.write(
      `skerry: nothing is kept of ${printable(namespace)}: \`kubectl annotate namespace ${printable(namespace)} skerry.dev/keep-logs=7d\` begins it\n`,
    );
  const time = (text: string) => text.replace(/\.\d+Z$/, "Z");
  const rows = logs.map(({ pod, container, attempt, first, last, bytes, uid }) =>
    [pod, container, attempt, time(first), time(last), bytes, uid].map(String),
  );
  process.stdout.write(table([COLUMNS, ...rows]));
}
