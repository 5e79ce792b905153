import { dnsSubdomainProblems } from "../../lib/names.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { AnyContainer } from "../core/pod-defaults.ts";
import type { CoreV1PodSpec, CoreV1WindowsSecurityContextOptions } from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";

/** What a pod may say for the system that it is made for. https://kubernetes.io/docs/concepts/windows/ */
const SYSTEMS = ["linux", "windows"];

export function* eachContainer(spec: CoreV1PodSpec, field: string): Iterable<[AnyContainer, string]> {
  for (const list of ["initContainers", "containers", "ephemeralContainers"] as const)
    for (const [index, container] of (spec[list] ?? []).entries()) yield [container, `${field}.${list}[${index}]`];
}

export function* validateSystem(spec: CoreV1PodSpec, field: string): Problems {
  const name = spec.os?.name;
  if (!spec.os) return;
  if (!name) yield required(`${field}.os.name`);
  else if (!SYSTEMS.includes(name)) yield notSupported(`${field}.os`, name, SYSTEMS);
  else yield* name === "linux" ? validateLinux(spec, field) : validateWindows(spec, field);
}

function* validateLinux(spec: CoreV1PodSpec, field: string): Problems {
  const why = "windows options cannot be set for a linux pod";
  if (spec.securityContext?.windowsOptions) yield forbiddenField(`${field}.securityContext.windowsOptions`, why);
  for (const [{ securityContext }, at] of eachContainer(spec, field))
    if (securityContext?.windowsOptions) yield forbiddenField(`${at}.securityContext.windowsOptions`, why);
}

/** In the order in which they are refused; those without a dot belong to the security context. */
const NOT_OF_WINDOWS = [
  "appArmorProfile",
  "seLinuxOptions",
  ".hostUsers",
  ".hostPID",
  ".hostIPC",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  ".shareProcessNamespace",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
];
const NOT_OF_WINDOWS_CONTAINERS = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

function* validateWindows(spec: CoreV1PodSpec, field: string): Problems {
  const why = "cannot be set for a windows pod";
  const [own, context] = [spec, spec.securityContext ?? {}] as unknown as Readonly<Record<string, unknown>>[];
  for (const name of NOT_OF_WINDOWS) {
    const inSpec = name.startsWith(".");
    const value = inSpec ? own?.[name.slice(1)] : context?.[name];
    const isFlag = name === ".hostPID" || name === ".hostIPC";
    if (value === undefined || (isFlag && !value)) continue;
    yield forbiddenField(inSpec ? `${field}${name}` : `${field}.securityContext.${name}`, why);
  }
  for (const [{ securityContext }, at] of eachContainer(spec, field))
    for (const name of NOT_OF_WINDOWS_CONTAINERS)
      if (securityContext?.[name] !== undefined) yield forbiddenField(`${at}.securityContext.${name}`, why);
}

/** Containers that are processes of a Windows node: all of a pod or none. */
export function* validateHostProcess(spec: CoreV1PodSpec, field: string): Problems {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let containers = 0;
  let processes = 0;
  for (const [{ securityContext }, at] of eachContainer(spec, field)) {
    containers++;
    const own = securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own)
      yield invalidValue(
        `${at}.securityContext.windowsOptions.hostProcess`,
        own,
        `pod hostProcess value must be identical if both are specified, was ${ofPod}`,
      );
    if (own ?? ofPod) processes++;
  }
  if (!processes) return;
  if (processes !== containers)
    yield invalidValue(
      field,
      "",
      "If pod contains any hostProcess containers then all containers must be HostProcess containers",
    );
  if (!spec.hostNetwork)
    yield invalidValue(
      `${field}.hostNetwork`,
      false,
      "hostNetwork must be true if pod contains any hostProcess containers",
    );
}

const MAX_CREDENTIAL_KIB = 64;
const MAX_DOMAIN = 256;
const MAX_USER = 104;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what may not be in a name
const CONTROL = /[\u0000-\u001f\u007f]/;
const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$|^[^\\\\/:*?"<>|.][^\\\\/:*?"<>|]{0,14}$`);

export function* validateWindowsOptions(
  options: CoreV1WindowsSecurityContextOptions | undefined,
  field: string,
): Problems {
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: credential, runAsUserName } = options ?? {};
  if (name !== undefined) yield* invalidFor(`${field}.gmsaCredentialSpecName`, name, dnsSubdomainProblems(name));
  const at = `${field}.gmsaCredentialSpec`;
  if (credential === "") yield invalidValue(at, credential, "gmsaCredentialSpec cannot be an empty string");
  if ((credential?.length ?? 0) > MAX_CREDENTIAL_KIB * 1024)
    yield invalidValue(at, credential, `gmsaCredentialSpec size must be under ${MAX_CREDENTIAL_KIB} KiB`);
  if (runAsUserName !== undefined)
    yield* invalidFor(`${field}.runAsUserName`, runAsUserName, userNameProblems(runAsUserName));
}

function* userNameProblems(name: string): Iterable<string> {
  const parts = name.split("\\");
  if (name === "") return yield "runAsUserName cannot be an empty string";
  if (CONTROL.test(name)) return yield "runAsUserName cannot contain control characters";
  if (parts.length > 2) return yield "runAsUserName cannot contain more than one backslash";
  const user = parts.at(-1) ?? "";
  const domain = parts.length === 2 ? parts[0] : undefined;
  if ((domain?.length ?? 0) >= MAX_DOMAIN) yield `runAsUserName's Domain length must be under ${MAX_DOMAIN} characters`;
  if (domain !== undefined && !DOMAIN.test(domain))
    yield "runAsUserName's Domain doesn't match the NetBios nor the DNS format";
  if (!user) yield "runAsUserName's User cannot be empty";
  else if (user.length > MAX_USER) yield `runAsUserName's User length must not be longer than ${MAX_USER} characters`;
  if (/^[. ]+$/.test(user)) yield "runAsUserName's User cannot contain only periods or spaces";
  if (/["/\\:;|=,+*?<>@[\]]/.test(user))
    yield `runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`;
}
