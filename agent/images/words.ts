import { canonicalName } from "./reference.ts";

/** 1234 → `1.234s`, 90_000 → `1m30s`: as Go prints durations of whole milliseconds. */
export function goMilliseconds(ms: number): string {
  const whole = Math.max(0, Math.trunc(ms));
  if (whole < 1000) return whole ? `${whole}ms` : "0s";
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor(whole / 60_000) % 60;
  const seconds = `${(whole % 60_000) / 1000}s`;
  return `${hours ? `${hours}h` : ""}${hours || minutes ? `${minutes}m` : ""}${seconds}`;
}

/** 12_345_678 → `12.3 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What a kubelet says of a pull that containerd could not do, in which it names the error's code where it is known. */
export function pullFailure(image: string, cause: string): string {
  const message = `failed to pull and unpack image "${canonicalName(image)}": ${cause}`;
  const code = CODES.find(({ ending }) => cause.endsWith(ending))?.code;
  return code ? `rpc error: code = ${code} desc = ${message}` : message;
}

/** How containerd's errors end, and their codes. https://pkg.go.dev/github.com/containerd/errdefs */
const CODES = [
  { ending: ": not found", code: "NotFound" },
  { ending: "context canceled", code: "Canceled" },
  { ending: "context deadline exceeded", code: "DeadlineExceeded" },
];

/** Several errors as one: each word once, in brackets when there are several. */
export function aggregate(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  return distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`;
}
