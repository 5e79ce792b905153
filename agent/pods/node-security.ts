/** What of a pod's security is its node's: settings, runtimes, and the namespaces that containers share. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1LinuxContainerUser } from "../../worker/kinds/generated/types.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { CONTAINERD_NAMESPACE } from "../containerd.ts";
import { bundleOf } from "../nerdctl-store.ts";
import { type Command, command as machineCommand } from "../network/commands.ts";
import { type OciRuntimes, ociRuntimes } from "../node/oci-runtime.ts";
import { type SecuritySettings, securitySettings } from "../node/security-settings.ts";
import type { Api } from "../volumes/tokens.ts";
import { hasAppArmor } from "./app-armor.ts";
import { hasSELinux } from "./selinux.ts";
import { machineNamespaces, type SharedNamespaces } from "./shared-namespaces.ts";

export interface NodeSecurity {
  readonly settings: SecuritySettings;
  readonly runtimes: OciRuntimes;
  readonly namespaces: SharedNamespaces;
  readonly hasAppArmor: boolean;
  readonly hasSELinux: boolean;
  /** The handler that a RuntimeClass names. Rejects in the kubelet's words. */
  handlerOf(runtimeClass: string): Promise<string>;
  /** Whom the first process of a container ran as at its start; undefined for one that is not there. */
  userOf(containerId: string): CoreV1LinuxContainerUser | undefined;
}

export type SecurityParts = { home: string; api: Api; settings?: SecuritySettings; command?: Command };

/** Of this machine. */
export function machineSecurity(parts: SecurityParts): NodeSecurity {
  const { home, api, settings = securitySettings(), command = machineCommand } = parts;
  return {
    settings,
    runtimes: ociRuntimes(join(home, "containerd", "runtimes"), settings.runtimeHandlers),
    namespaces: machineNamespaces(home, command),
    hasAppArmor: hasAppArmor(),
    hasSELinux: hasSELinux(),
    async handlerOf(name) {
      const path = `/apis/node.k8s.io/v1/runtimeclasses/${encodeURIComponent(name)}`;
      const { code, body } = await api("GET", path).catch((error) => {
        throw new Error(`failed to lookup RuntimeClass ${name}: ${errorText(error)}`);
      });
      const { handler, message } = (body ?? {}) as { handler?: string; message?: string };
      if (code === 404) throw new Error(message);
      if (handler === undefined) throw new Error(`failed to lookup RuntimeClass ${name}: ${message}`);
      return handler;
    },
    userOf: (id) => readUser(bundleOf(join(home, "containerd/nerdctl.toml"), CONTAINERD_NAMESPACE, id)),
  };
}

/** From the specification that containerd gave the runtime. */
function readUser(bundle: string): CoreV1LinuxContainerUser | undefined {
  try {
    const { process } = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")) as {
      process: { user: { uid: number; gid: number; additionalGids?: number[] } };
    };
    const { uid, gid, additionalGids: supplementalGroups = [] } = process.user;
    return { uid, gid, supplementalGroups };
  } catch {
    return undefined;
  }
}
