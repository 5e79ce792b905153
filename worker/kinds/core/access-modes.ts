/** How volumes may be mounted, in the order in which they print. */
const SHORT = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
] as const;

export const ACCESS_MODES: readonly string[] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

export const accessModes = (modes: readonly string[] | undefined): string =>
  SHORT.filter(([name]) => modes?.includes(name))
    .map(([, short]) => short)
    .join(",");
