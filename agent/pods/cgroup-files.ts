/**
 * How limits are written to cgroups, version 1 and version 2: which file of which controller gets which text.
 * https://docs.kernel.org/admin-guide/cgroup-v1/ and https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export type CgroupVersion = 1 | 2;

/** What a cgroup that holds others is given. What is absent is unlimited. */
export type CgroupLimits = {
  /** As version 1 counts: 1024 for a core. */
  cpuShares: number;
  /** In microseconds of each `CPU_PERIOD_US`. */
  cpuQuota?: number;
  memoryBytes?: number;
  pids?: number;
  /** In bytes, by the page's size in bytes. A size that is left out may not be used; without the list all may. */
  hugepages?: ReadonlyMap<number, number>;
};

export type CgroupFile = { controller: string; file: string; value: string };

export const CPU_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1_000;
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const MAX_WEIGHT = 10_000;

export function cpuShares(milli: number): number {
  return Math.min(Math.max(Math.floor((milli * 1024) / 1000), MIN_SHARES), MAX_SHARES);
}

/** In microseconds of a period; the kernel takes no less than a millisecond. */
export const cpuQuota = (milli: number): number => Math.max(Math.floor((milli * CPU_PERIOD_US) / 1000), MIN_QUOTA_US);

/** Version 2 counts from 1 to 10000 where version 1 does from 2 to 262144. */
export const cpuWeight = (shares: number): number =>
  1 + Math.floor(((shares - MIN_SHARES) * (MAX_WEIGHT - 1)) / (MAX_SHARES - MIN_SHARES));

/** `2097152` → `2MB`, as the kernel names its files. */
export function pageSizeName(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size}${units[unit]}`;
}

/** All files of a cgroup with these limits. `pageSizes` are those that the machine has, in bytes. */
export function cgroupFiles(version: CgroupVersion, limits: CgroupLimits, pageSizes: readonly number[]): CgroupFile[] {
  const { hugepages } = limits;
  const pages = hugepages ? pageSizes.map((size) => [size, hugepages.get(size) ?? 0] as const) : [];
  return version === 1 ? filesOf1(limits, pages) : filesOf2(limits, pages);
}

type Pages = readonly (readonly [size: number, bytes: number])[];

function filesOf1({ cpuShares: shares, cpuQuota: quota, memoryBytes, pids }: CgroupLimits, pages: Pages): CgroupFile[] {
  const cpu = "cpu";
  return [
    { controller: cpu, file: "cpu.shares", value: `${shares}` },
    { controller: cpu, file: "cpu.cfs_period_us", value: `${CPU_PERIOD_US}` },
    { controller: cpu, file: "cpu.cfs_quota_us", value: `${quota ?? -1}` },
    { controller: "memory", file: "memory.limit_in_bytes", value: `${memoryBytes ?? -1}` },
    { controller: "pids", file: "pids.max", value: `${pids ?? "max"}` },
    ...hugepageFiles(pages, "limit_in_bytes"),
  ];
}

function filesOf2({ cpuShares: shares, cpuQuota: quota, memoryBytes, pids }: CgroupLimits, pages: Pages): CgroupFile[] {
  return [
    { controller: "cpu", file: "cpu.weight", value: `${cpuWeight(shares)}` },
    { controller: "cpu", file: "cpu.max", value: `${quota ?? "max"} ${CPU_PERIOD_US}` },
    { controller: "memory", file: "memory.max", value: `${memoryBytes ?? "max"}` },
    { controller: "pids", file: "pids.max", value: `${pids ?? "max"}` },
    ...hugepageFiles(pages, "max"),
  ];
}

/** Of pages in use, and of those set aside: past the second a program is refused, past the first alone it is killed. */
const hugepageFiles = (pages: Pages, limit: string): CgroupFile[] =>
  pages.flatMap(([size, bytes]) =>
    [limit, `rsvd.${limit}`].map((file) => ({
      controller: "hugetlb",
      file: `hugetlb.${pageSizeName(size)}.${file}`,
      value: `${bytes}`,
    })),
  );
