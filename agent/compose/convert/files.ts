/** `configs` and `secrets`: of the project, and what of them is in a container. */
import { resolve } from "node:path";
import type { Value } from "../tree.ts";
import { contentsOf } from "./contents.ts";
import { type Context, type KubernetesObject, labelsOf, type Volume, type VolumeMount } from "./model.ts";
import { digest, objectName } from "./values.ts";

type Part = "configs" | "secrets";
type Kept = { data?: Record<string, string>; binaryData?: Record<string, string> };

const KEY = "content";

/** One ConfigMap or Secret for each that is not external. */
export function fileObjects(context: Pick<Context, "project" | "disk">): KubernetesObject[] {
  const { project } = context;
  return (["configs", "secrets"] as const).flatMap((part) =>
    [...project[part]].flatMap(([name, value]) => {
      const kept = contentOf(context, part, value);
      if (!kept) return [];
      const metadata = { name: fileObjectName(name, value), labels: labelsOf(project.name) };
      return [{ apiVersion: "v1", kind: part === "configs" ? "ConfigMap" : "Secret", metadata, ...kept }];
    }),
  );
}

const fileObjectName = (name: string, value: Value) => objectName(value.get("name")?.text() ?? name);

function contentOf({ project, disk }: Pick<Context, "project" | "disk">, part: Part, value: Value): Kept | undefined {
  const drivers = ["driver", "driver_opts", "template_driver"];
  value.only(["name", "content", "environment", "file", "external", "labels", ...drivers]);
  for (const name of drivers)
    value.get(name)?.refuse("there are no drivers for it here", "take file, environment or external");
  if (value.get("external")?.flag()) return undefined;
  const file = value.get("file");
  if (file) {
    const contents = contentsOf(disk, resolve(file.folder, file.text() ?? ""));
    const { data, binaryData } = contents ?? {};
    const [text] = Object.values(data ?? {});
    const [encoded] = Object.values(binaryData ?? {});
    if (text !== undefined) return asObject(part, text);
    if (encoded === undefined) return file.invalid(`there is no file ${file.text()} of at most 900 kB`);
    return part === "configs" ? { binaryData: { [KEY]: encoded } } : { data: { [KEY]: encoded } };
  }
  const variable = value.get("environment");
  if (variable) {
    const content = project.variables[variable.text() ?? ""];
    return content === undefined ? variable.invalid(`${variable.text()} is not set`) : asObject(part, content);
  }
  const content = value.get("content")?.text();
  return content === undefined
    ? value.invalid("needs file, environment, content or external")
    : asObject(part, content);
}

const asObject = (part: Part, text: string): Kept => ({
  data: { [KEY]: part === "configs" ? text : Buffer.from(text).toString("base64") },
});

export type Files = { volumes: Volume[]; mounts: VolumeMount[]; contents: unknown[] };

/** Each is a file of its own in the container: `/run/secrets/NAME`, `/NAME`. */
export function filesOf(context: Context, objects: readonly KubernetesObject[]): Files {
  const found: Files = { volumes: [], mounts: [], contents: [] };
  for (const part of ["configs", "secrets"] as const)
    for (const item of context.value.get(part)?.items() ?? []) {
      if (item.isMap) item.only(["source", "target", "uid", "gid", "mode"]);
      const name = (item.isMap ? item.get("source")?.text() : item.text()) ?? "";
      const value = context.project[part].get(name);
      if (!value) {
        item.invalid(`${name} is not among the ${part}`);
        continue;
      }
      for (const owner of ["uid", "gid"]) item.get(owner)?.note("it belongs to root, and mode says who may read it");
      const isExternal = value.get("external")?.flag() ?? false;
      const object = fileObjectName(name, value);
      const key = isExternal ? name : KEY;
      if (isExternal) item.note(`the key ${key} of the ${part === "configs" ? "ConfigMap" : "Secret"} ${object}`);
      const target = item.get("target")?.text() ?? name;
      const folder = part === "secrets" ? "/run/secrets/" : "/";
      const mode = octal(item.get("mode"));
      const source = { defaultMode: mode ?? 0o444, items: [{ key, path: KEY }] };
      const volume = `${part.slice(0, -1)}-${object}`.slice(0, 63);
      found.volumes.push({
        name: found.volumes.some((other) => other.name === volume)
          ? `${volume.slice(0, 56)}-${digest(target).slice(0, 5)}`
          : volume,
        ...(part === "configs"
          ? { configMap: { name: object, ...source } }
          : { secret: { secretName: object, ...source } }),
      });
      found.mounts.push({
        name: found.volumes.at(-1)?.name ?? volume,
        mountPath: target.startsWith("/") ? target : folder + target,
        subPath: KEY,
        readOnly: true,
      });
      found.contents.push(
        objects.find(
          ({ kind, metadata }) => metadata.name === object && kind === (part === "configs" ? "ConfigMap" : "Secret"),
        )?.data,
      );
    }
  return found;
}

/** `0440` is octal, quoted or not. */
function octal(value: Value | undefined): number | undefined {
  const text = value?.text();
  if (value === undefined || text === undefined) return undefined;
  return /^(0o?)?[0-7]{3,4}$/.test(text)
    ? Number.parseInt(text.replace("o", ""), 8)
    : value.invalid(`${text} is no mode like 0440`);
}
