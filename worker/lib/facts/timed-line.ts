/** Lines of logs with their times before them, as `timestamps=true` brings them. */

/** The time before the first space, and the line after it. What goes on from a line that was cut has no time. */
export function cut(line: string): [time: string, line: string] {
  const at = line.indexOf(" ");
  return /^\d{4}-\d\d-\d\dT/.test(line) && at > 0 ? [line.slice(0, at), line.slice(at + 1)] : ["", line];
}

/** Of a time as RFC 3339 writes it, what texts are compared by: all with nine digits after the seconds. */
export const comparable = (time: string): string =>
  (time.includes(".") ? time : time.replace("Z", ".Z")).replace("Z", "").padEnd(29, "0");
