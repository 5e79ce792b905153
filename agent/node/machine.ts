import { CgroupTree, machineCgroups } from "../pods/cgroups.ts";
import type { Run } from "../process.ts";
import { podsLimits } from "./capacity.ts";
import type { HousekeepingParts } from "./housekeeping.ts";
import { diskOf, observe } from "./observe.ts";
import type { NodeSettings } from "./settings.ts";
import { UsageMeter } from "./usage.ts";

/** How this machine is kept from running out of what it has. `home` is where all state of the node lies. */
export function machineHousekeeping(home: string, settings: NodeSettings, run: Run): HousekeepingParts {
  const podsMemory = podsLimits(settings).memoryBytes;
  const tree = new CgroupTree();
  return {
    settings,
    observe: () => observe({ tree, home, podsMemory }),
    usage: new UsageMeter({ home, cgroups: machineCgroups({ home }), run }),
    imageDisk: () => diskOf(home).bytes,
  };
}
