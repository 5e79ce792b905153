import type {
  CoreV1Container,
  CoreV1EnvVar,
  CoreV1FileKeySelector,
  CoreV1Pod,
  CoreV1Service,
} from "../../worker/kinds/generated/types.ts";
import type { Desired } from "../desired.ts";
import { envFileValue } from "./env-file.ts";
import { containerNamed, type FieldContext, fieldValue, limitsOf, resourceValue } from "./fields.ts";

/** A container cannot be made from its spec as things are; the message becomes CreateContainerConfigError's. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export type EnvSources = Pick<Desired, "configMaps" | "secrets" | "services"> & {
  fields: FieldContext;
  /** A file of one of the pod's volumes, and where it lies on this machine; undefined when there is no such volume. */
  volumeFile(volume: string, path: string): { place: string; read(): string } | undefined;
};

/**
 * The environment of a container: service links, envFrom, then env, each over the one before.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
 */
export function environment(pod: CoreV1Pod, container: CoreV1Container, sources: EnvSources): Map<string, string> {
  const links = serviceEnv(pod, sources.services);
  const env = new Map<string, string>();
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const data = configMapRef
      ? configMapData(pod, configMapRef.name ?? "", configMapRef.optional, sources)
      : secretRef
        ? secretData(pod, secretRef.name ?? "", secretRef.optional, sources)
        : {};
    for (const [key, value] of Object.entries(data ?? {})) env.set(prefix + key, value);
  }
  for (const variable of container.env ?? []) {
    const value = variableValue(pod, container, variable, sources, (name) => env.get(name) ?? links.get(name));
    if (value !== undefined) env.set(variable.name, value);
  }
  // A link is only there where nothing the user said has its name.
  return new Map([...links, ...env]);
}

function variableValue(
  pod: CoreV1Pod,
  container: CoreV1Container,
  variable: CoreV1EnvVar,
  sources: EnvSources,
  known: (name: string) => string | undefined,
): string | undefined {
  const from = variable.valueFrom;
  if (!from) return expand(variable.value ?? "", known);
  if (from.fieldRef) return fieldValue(from.fieldRef, sources.fields);
  if (from.resourceFieldRef) {
    const name = from.resourceFieldRef.containerName;
    const of = name ? containerNamed(pod, name) : container;
    if (!of) throw new ConfigError(`container ${name} not found`);
    return resourceValue(from.resourceFieldRef, of, limitsOf(pod, sources.fields.allocatable));
  }
  if (from.configMapKeyRef) {
    const { name = "", key, optional } = from.configMapKeyRef;
    const value = configMapData(pod, name, optional, sources)?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in ConfigMap ${pod.metadata.namespace}/${name}`);
    return value;
  }
  if (from.secretKeyRef) {
    const { name = "", key, optional } = from.secretKeyRef;
    const value = secretData(pod, name, optional, sources)?.[key];
    if (value === undefined && !optional)
      throw new ConfigError(`couldn't find key ${key} in Secret ${pod.metadata.namespace}/${name}`);
    return value;
  }
  if (from.fileKeyRef) return fileValue(from.fileKeyRef, sources);
  return undefined;
}

function fileValue({ volumeName, path, key, optional }: CoreV1FileKeySelector, sources: EnvSources) {
  const file = sources.volumeFile(volumeName, path);
  if (!file) throw new ConfigError(`cannot find the volume "${volumeName}" referenced by FileKeyRef`);
  let value: string;
  try {
    value = envFileValue(file.read(), key);
  } catch {
    throw new ConfigError("couldn't parse env file");
  }
  if (value !== "") return value;
  if (optional) return undefined;
  throw new ConfigError(`environment variable key "${key}" not found in file "${file.place}"`);
}

function configMapData(pod: CoreV1Pod, name: string, optional: boolean | undefined, sources: EnvSources) {
  const found = sources.configMaps.get(`${pod.metadata.namespace}/${name}`);
  if (!found && !optional) throw new ConfigError(`configmap "${name}" not found`);
  return found?.data ?? (found ? {} : undefined);
}

function secretData(pod: CoreV1Pod, name: string, optional: boolean | undefined, sources: EnvSources) {
  const found = sources.secrets.get(`${pod.metadata.namespace}/${name}`);
  if (!found && !optional) throw new ConfigError(`secret "${name}" not found`);
  if (!found) return undefined;
  return Object.fromEntries(Object.entries(found.data ?? {}).map(([k, v]) => [k, Buffer.from(v, "base64").toString()]));
}

/** The API server's own service is known everywhere. */
const isMaster = (s: CoreV1Service) => s.metadata.namespace === "default" && s.metadata.name === "kubernetes";

/** https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables */
export function serviceEnv(pod: CoreV1Pod, services: readonly CoreV1Service[]): Map<string, string> {
  const env = new Map<string, string>();
  const links = pod.spec.enableServiceLinks !== false;
  const chosen = services.filter((s) => isMaster(s) || (links && s.metadata.namespace === pod.metadata.namespace));
  // The pod's own namespace wins where names meet.
  chosen.sort((a, b) => Number(isMaster(b)) - Number(isMaster(a)));
  for (const service of chosen) {
    const ip = service.spec?.clusterIP;
    const ports = service.spec?.ports ?? [];
    const first = ports[0];
    if (!ip || ip === "None" || !first) continue;
    const prefix = envName(service.metadata.name ?? "");
    env.set(`${prefix}_SERVICE_HOST`, ip);
    env.set(`${prefix}_SERVICE_PORT`, `${first.port}`);
    for (const { name, port } of ports) if (name) env.set(`${prefix}_SERVICE_PORT_${envName(name)}`, `${port}`);
    const url = (p: { protocol?: string; port: number }) => `${(p.protocol ?? "TCP").toLowerCase()}://${ip}:${p.port}`;
    env.set(`${prefix}_PORT`, url(first));
    for (const port of ports) {
      const protocol = port.protocol ?? "TCP";
      const each = `${prefix}_PORT_${port.port}_${protocol}`;
      env.set(each, url(port));
      env.set(`${each}_PROTO`, protocol.toLowerCase());
      env.set(`${each}_PORT`, `${port.port}`);
      env.set(`${each}_ADDR`, ip);
    }
  }
  return env;
}

const envName = (name: string) => name.toUpperCase().replaceAll("-", "_");

/** `$(NAME)` becomes its value; `$$(NAME)` stays as `$(NAME)`; what is not known stays as it is. */
export function expand(text: string, known: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? "$" : (known(name) ?? whole),
  );
}
