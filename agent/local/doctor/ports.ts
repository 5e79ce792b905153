/** Who listens at the ports that a node uses, from lines of `ss -Htlnp`: https://man7.org/linux/man-pages/man8/ss.8.html */

export type Port = { port: number; use: string; isNeeded: boolean; holder?: string };

/** `seesAll`: who asked is told all programs, and not only their own. */
type Seen = { isOurs(pid: string): boolean; seesAll: boolean };

/** With the other program that has it; undefined where it may be one of ours, of which this user is not told. */
export function held(wanted: readonly Port[], lines: readonly string[], { isOurs, seesAll }: Seen): Port[] | undefined {
  const found: Port[] = [];
  for (const one of wanted) {
    const line = lines.find((text) => text.split(/\s+/)[3]?.endsWith(`:${one.port}`));
    const [, name, pid] = /\(\("([^"]*)",pid=(\d+)/.exec(line ?? "") ?? [];
    if (line && !pid && !seesAll) return undefined;
    const isFree = !line || (pid !== undefined && isOurs(pid));
    found.push(isFree ? one : { ...one, holder: pid ? `${name} (pid ${pid})` : "another program" });
  }
  return found;
}
