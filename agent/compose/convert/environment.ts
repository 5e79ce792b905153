/** `environment`, `env_file`, `label_file`. */
import { resolve } from "node:path";
import { EnvFileError, parseEnvFile } from "../load/env-file.ts";
import type { Value } from "../tree.ts";
import type { Container, Context, KubernetesObject } from "./model.ts";
import { literal, objectName } from "./values.ts";

export type Environment = Pick<Container, "env" | "envFrom"> & { objects: KubernetesObject[]; contents: unknown[] };

/** What files say becomes a Secret, since passwords are in them; `environment` goes before it. */
export function environmentOf(context: Context): Environment {
  const { value, project } = context;
  const env = (value.get("environment")?.entries() ?? []).flatMap(([name, told]) => {
    const text = told.isNull ? project.variables[name] : told.text();
    if (text === undefined) return told.note(`${name} is not set, and left out`) ?? [];
    return [{ name, value: literal(text) }];
  });
  const fromFiles = filesOf(context, value.get("env_file"));
  const names = Object.keys(fromFiles).filter((name) => !env.some((entry) => entry.name === name));
  if (names.length === 0) return { ...(env.length > 0 && { env }), objects: [], contents: [] };
  const data = Object.fromEntries(names.map((name) => [name, Buffer.from(fromFiles[name] ?? "").toString("base64")]));
  const secret = context.object("v1", "Secret", objectName(`${context.name}-env`), { data });
  return {
    ...(env.length > 0 && { env }),
    envFrom: [{ secretRef: { name: secret.metadata.name } }],
    objects: [secret],
    contents: [data],
  };
}

/** Later files go before earlier ones. */
function filesOf({ disk, project }: Context, told: Value | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  for (const item of told?.isList ? told.items() : told ? [told] : []) {
    if (item.isMap) item.only(["path", "required", "format"]);
    const name = (item.isMap ? item.get("path")?.text() : item.text()) ?? "";
    const bytes = disk.read(resolve(item.folder, name));
    const isRequired = item.get("required")?.flag() ?? true;
    if (!bytes && isRequired) item.invalid(`there is no file ${name}`, "with required: false there need be none");
    if (!bytes) continue;
    try {
      const text = new TextDecoder().decode(bytes);
      const isRaw = item.get("format")?.text() === "raw";
      Object.assign(found, parseEnvFile(text, { ...project.variables, ...found }, isRaw));
    } catch (error) {
      if (!(error instanceof EnvFileError)) throw error;
      item.invalid(`${name}:${error.line}: ${error.message}`);
    }
  }
  return found;
}

/** Labels of the service and of its files. */
export function labelValues(context: Context): Record<string, string> {
  const fromFiles = filesOf(context, context.value.get("label_file"));
  const own = context.value.get("labels")?.entries() ?? [];
  return { ...fromFiles, ...Object.fromEntries(own.map(([name, value]) => [name, value.text() ?? ""])) };
}
