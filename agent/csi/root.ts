import { join } from "node:path";
import { DEFAULT_HOME } from "../local/home.ts";

/** What charts of drivers mount from a node, unless they are told another place. */
const KUBELET = "/var/lib/kubelet";

/** The folder that is to a node's drivers what a kubelet's is: other nodes of one machine have others. */
export const kubeletRoot = (home: string): string => (home === DEFAULT_HOME ? KUBELET : join(home, "kubelet"));
