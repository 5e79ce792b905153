import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Bytes of a termination message, and of the log that stands in for it, with that log's lines. */
const MOST_MESSAGE = 4096;
const MOST_LOG_BYTES = 2048;
const MOST_LOG_LINES = 80;
const TAIL_BYTES = 64 * 1024;

/** https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ */
export function terminationMessage(
  paths: { messagePath?: string; logPath?: string },
  policy: string | undefined,
  failed: boolean,
): string | undefined {
  const written = paths.messagePath ? readEnd(paths.messagePath, MOST_MESSAGE) : "";
  if (written || policy !== "FallbackToLogsOnError" || !failed || !paths.logPath) return written || undefined;
  const lines = readEnd(paths.logPath, TAIL_BYTES).split("\n").filter(Boolean);
  const text = lines.slice(-MOST_LOG_LINES).map(logged).join("");
  return Buffer.from(text).subarray(-MOST_LOG_BYTES).toString() || undefined;
}

/** A line of nerdctl's json-file log. */
function logged(line: string): string {
  try {
    return (JSON.parse(line) as { log?: string }).log ?? "";
  } catch {
    return ""; // cut by the window
  }
}

/** A file that a container wrote is read without trust in its size. */
function readEnd(path: string, most: number): string {
  try {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const buffer = Buffer.alloc(Math.min(size, most));
      const read = readSync(file, buffer, 0, buffer.length, Math.max(0, size - most));
      return buffer.subarray(0, read).toString();
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}
