import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** What tells hardware apart, the best first: firmware's number of the machine, the board's, the installation's. */
const SOURCES = [
  "/sys/class/dmi/id/product_uuid",
  "/proc/device-tree/serial-number",
  "/etc/machine-id",
  "/var/lib/dbus/machine-id",
];

/**
 * Tells this machine's node from one that has a copy of its disk: the same after each start, whatever its addresses and
 * devices are by then. Several nodes on one machine have homes of their own.
 */
export function machineId(home: string, read: (path: string) => string = readText): string {
  const hardware = SOURCES.map(read).find((text) => text !== "") ?? "";
  return createHash("sha256").update(`${hardware}\0${home}`).digest("hex").slice(0, 32);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").replaceAll("\0", "").trim();
  } catch {
    return "";
  }
}
