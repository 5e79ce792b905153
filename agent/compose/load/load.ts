/** From compose files to one project: `include`, `extends`, several files, profiles. */
import { basename, dirname, join, relative, resolve } from "node:path";
import { type MapNode, map, type Node, type Place, type Problem, Value } from "../tree.ts";
import { EnvFileError, parseEnvFile } from "./env-file.ts";
import type { Variables } from "./interpolate.ts";
import { merge, normalized } from "./merge.ts";
import { parseCompose } from "./parse.ts";

/** The machine's files, as far as compose files name them. */
export type Disk = {
  /** Undefined where there is no such file. */
  read(path: string): Uint8Array | undefined;
  /** The names in a folder; undefined where there is none. */
  list(path: string): readonly string[] | undefined;
};

export type Wanted = {
  /** Absolute paths, merged in this order; without any, those with the usual names in `folder`. */
  files: readonly string[];
  folder: string;
  /** Instead of `.env`. */
  envFiles: readonly string[];
  project?: string;
  profiles: readonly string[];
  environment: Variables;
};

export type Project = {
  name: string;
  services: ReadonlyMap<string, Value>;
  /** Those whose profiles are not wanted. */
  inactive: ReadonlySet<string>;
  volumes: ReadonlyMap<string, Value>;
  networks: ReadonlyMap<string, Value>;
  configs: ReadonlyMap<string, Value>;
  secrets: ReadonlyMap<string, Value>;
  models: ReadonlyMap<string, Value>;
  /** What `environment:` without a value, and secrets of the environment, are taken from. */
  variables: Variables;
  problems: Problem[];
};

export class ComposeError extends Error {
  override readonly name = "ComposeError";
}

const USUAL = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const TOP_LEVEL = ["name", "version", "include", "services", "models", "networks", "volumes", "secrets", "configs"];
const MAX_DEPTH = 32;

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Throws `ComposeError` where there is nothing to read; what else is wrong is among the problems. */
export function loadProject(disk: Disk, wanted: Wanted): Project {
  const files = wanted.files.length > 0 ? wanted.files : usualFiles(disk, wanted.folder);
  const folder = wanted.files[0] ? dirname(wanted.files[0]) : wanted.folder;
  const problems: Problem[] = [];
  const loader = new Loader(disk, problems, folder);
  const defaults = loader.envFiles(wanted.envFiles, folder);
  const variables: Variables = { ...defaults, ...wanted.environment };
  const root = loader.model(files, folder, variables, 0);
  const top = new Value(root ?? map({ file: files[0] ?? "", line: 0, folder }, []), "", problems);
  if (root) top.only(TOP_LEVEL);
  const part = (name: string) => new Map(top.get(name)?.entries());
  const all = part("services");
  if (root && all.size === 0) top.invalid("there are no services");
  const profiles = new Set([...wanted.profiles, ...(variables.COMPOSE_PROFILES ?? "").split(",")]);
  const isWanted = (service: Value) => {
    const own = service.get("profiles")?.texts() ?? [];
    return own.length === 0 || profiles.has("*") || own.some((profile) => profiles.has(profile));
  };
  return {
    name: projectName(wanted.project ?? variables.COMPOSE_PROJECT_NAME ?? top.get("name")?.text() ?? basename(folder)),
    services: new Map([...all].filter(([, service]) => isWanted(service))),
    inactive: new Set([...all].filter(([, service]) => !isWanted(service)).map(([name]) => name)),
    volumes: part("volumes"),
    networks: part("networks"),
    configs: part("configs"),
    secrets: part("secrets"),
    models: part("models"),
    variables,
    problems,
  };
}

function usualFiles(disk: Disk, folder: string): string[] {
  const first = USUAL.map((name) => join(folder, name)).find((path) => disk.read(path));
  if (!first) throw new ComposeError(`${folder} has no ${USUAL.join(", ")}: name a file with -f`);
  const over = first.replace(/\.ya?ml$/, "");
  return [first, ...[".override.yaml", ".override.yml"].map((end) => over + end).filter((path) => disk.read(path))];
}

/** As Compose makes one of a folder's name; dashes for what Kubernetes has no name for. */
export function projectName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
  if (name === "") throw new ComposeError(`${text} makes no name for a project: give one with -p`);
  return name;
}

class Loader {
  private readonly disk: Disk;
  private readonly problems: Problem[];
  /** What files are called by, relative to it. */
  private readonly root: string;

  constructor(disk: Disk, problems: Problem[], root: string) {
    this.disk = disk;
    this.problems = problems;
    this.root = root;
  }

  /** Without any named, `.env`, which need not be there. */
  envFiles(paths: readonly string[], folder: string, around: Variables = {}): Record<string, string> {
    let found: Record<string, string> = {};
    for (const path of paths.length > 0 ? paths : [join(folder, ".env")]) {
      const bytes = this.disk.read(path);
      if (!bytes && paths.length > 0) throw new ComposeError(`there is no file ${path}`);
      try {
        if (bytes) found = { ...found, ...parseEnvFile(decode(bytes), { ...around, ...found }) };
      } catch (error) {
        if (!(error instanceof EnvFileError)) throw error;
        throw new ComposeError(`${path}:${error.line}: ${error.message}`);
      }
    }
    return found;
  }

  model(files: readonly string[], folder: string, variables: Variables, depth: number): MapNode | undefined {
    let model: Node | undefined;
    for (const file of files) {
      const parsed = this.file(file, folder, variables);
      if (parsed) model = merge(model, this.extended(parsed, variables), []);
    }
    if (model?.kind !== "map") return undefined;
    return this.included(model, variables, depth);
  }

  private file(file: string, folder: string, variables: Variables): MapNode | undefined {
    const bytes = this.disk.read(file);
    if (!bytes) throw new ComposeError(`there is no file ${file}`);
    return parseCompose({
      text: decode(bytes),
      file: relative(this.root, file),
      folder,
      variables,
      problems: this.problems,
    });
  }

  /** All services of a file, with what they extend, in their one form. */
  private extended(model: MapNode, variables: Variables): MapNode {
    const parts = [...model.entries].map(([part, node]): [string, Node] => {
      if (node.kind !== "map") return [part, node];
      const whole = [...node.entries].map(([name, own]): [string, Node] => {
        if (part === "services") return [name, this.service(model, name, variables, 0) ?? own];
        return [name, own.kind === "map" ? normalized(own) : own];
      });
      return [part, { ...node, entries: new Map(whole) }];
    });
    return { ...model, entries: new Map(parts) };
  }

  private service(model: MapNode, name: string, variables: Variables, depth: number): Node | undefined {
    const services = model.entries.get("services");
    const found = services?.kind === "map" ? services.entries.get(name) : undefined;
    if (found?.kind !== "map") return found;
    const own = normalized(found);
    const told = own.entries.get("extends");
    if (!told) return own;
    const entries = new Map(own.entries);
    entries.delete("extends");
    const value = new Value(told, `services.${name}.extends`, this.problems);
    const target = told.kind === "map" ? value.get("service")?.text() : value.text();
    if (told.kind === "map") value.only(["service", "file"]);
    if (target === undefined) return value.invalid("names no service") ?? { ...own, entries };
    const base = this.extendedBase(model, target, value, variables, depth);
    return base ? merge(base, { ...own, entries }, ["services", name]) : { ...own, entries };
  }

  private extendedBase(
    model: MapNode,
    target: string,
    value: Value,
    variables: Variables,
    depth: number,
  ): Node | undefined {
    if (depth > MAX_DEPTH) return value.invalid("extends itself");
    const file = value.get("file")?.text();
    const path = file && resolve(value.folder, file);
    if (path && !this.disk.read(path)) return value.invalid(`there is no file ${path}`);
    const from = path ? this.file(path, dirname(path), variables) : model;
    const base = from && this.service(from, target, variables, depth + 1);
    return base ?? value.invalid(`there is no service ${target}${file ? ` in ${file}` : ""}`);
  }

  private included(model: MapNode, variables: Variables, depth: number): MapNode {
    const told = model.entries.get("include");
    if (!told) return model;
    const value = new Value(told, "include", this.problems);
    if (depth > MAX_DEPTH) return value.invalid("includes itself") ?? model;
    return value.items().reduce((all, item) => this.withIncluded(all, item, variables, depth), model);
  }

  private withIncluded(model: MapNode, item: Value, variables: Variables, depth: number): MapNode {
    const long = item.isMap;
    if (long) item.only(["path", "env_file", "project_directory"]);
    const paths = (long ? item.get("path")?.texts() : item.texts())?.map((path) => resolve(item.folder, path)) ?? [];
    const missing = paths.find((path) => !this.disk.read(path));
    if (missing !== undefined || !paths[0])
      return item.invalid(missing ? `there is no file ${missing}` : "names no path") ?? model;
    const directory = long ? item.get("project_directory")?.text() : undefined;
    const folder = directory ? resolve(item.folder, directory) : dirname(paths[0]);
    const envFiles =
      (long ? item.get("env_file")?.texts() : undefined)?.map((path) => resolve(item.folder, path)) ?? [];
    const own: Variables = { ...this.envFiles(envFiles, folder, variables), ...variables };
    const other = this.model(paths, folder, own, depth + 1);
    return other ? this.joined(model, other) : model;
  }

  private joined(model: MapNode, other: MapNode): MapNode {
    const entries = new Map(model.entries);
    for (const [part, theirs] of other.entries) {
      const ours = entries.get(part);
      if (theirs.kind !== "map" || part === "include") continue;
      const both = new Map(ours?.kind === "map" ? ours.entries : []);
      for (const [name, node] of theirs.entries) {
        if (both.has(name) && part === "services") this.conflict(node.at, `${part}.${name}`);
        else if (!both.has(name)) both.set(name, node);
      }
      entries.set(part, { ...theirs, entries: both });
    }
    return { ...model, entries };
  }

  private conflict(at: Place, path: string): void {
    this.problems.push({ severity: "invalid", at, path, says: "what includes this file has one of that name already" });
  }
}
