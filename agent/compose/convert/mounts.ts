/** `volumes`, `tmpfs`, `shm_size`, `volumes_from`: what lies where in a container. */
import { basename, resolve } from "node:path";
import type { Value } from "../tree.ts";
import { contentsOf } from "./contents.ts";
import type { Context, KubernetesObject, Volume, VolumeMount } from "./model.ts";
import { bytes, digest, objectName, quantityOfBytes } from "./values.ts";
import { volumeSource } from "./volumes.ts";

export type Mounts = {
  volumes: Volume[];
  mounts: VolumeMount[];
  objects: KubernetesObject[];
  /** It writes to what outlives a pod: two of it must not be there at once. */
  isWriter: boolean;
  /** Of what is in the objects, so that a pod begins anew with it. */
  contents: unknown[];
};

type Mount = {
  type: string;
  source?: string;
  target: string;
  readOnly: boolean;
  subPath?: string;
  size?: number;
  propagation?: string;
  value: Value;
};

const SOCKETS = /^(\/var)?\/run\/(docker|podman\/podman)\.sock$/;

export function mountsOf(context: Context): Mounts {
  const found: Mounts = { volumes: [], mounts: [], objects: [], isWriter: false, contents: [] };
  const all = new Map([...inherited(context), ...own(context.value)].map((mount) => [mount.target, mount]));
  for (const mount of all.values()) add(context, found, mount);
  return found;
}

function own(service: Value): Mount[] {
  const told = (service.get("volumes")?.items() ?? []).map((value) => (value.isMap ? long(value) : short(value)));
  const tmpfs = service.get("tmpfs");
  const temporary = (tmpfs?.isList ? tmpfs.items() : tmpfs ? [tmpfs] : []).map(temporaryMount);
  const shared = service.get("shm_size");
  const size = bytes(shared);
  const memory: Mount[] =
    shared && size !== undefined ? [{ type: "tmpfs", target: "/dev/shm", readOnly: false, size, value: shared }] : [];
  return [...told, ...temporary, ...memory].filter((mount) => mount !== undefined);
}

/** `volumes_from: [service:ro]` */
function inherited({ value, project }: Context): Mount[] {
  return (value.get("volumes_from")?.items() ?? []).flatMap((item) => {
    const [from = "", mode] = (item.text() ?? "").split(":");
    const other = project.services.get(from);
    if (!other) return item.refuse(`there is no service ${from} whose volumes could be had`) ?? [];
    return own(other).map((mount) => ({ ...mount, readOnly: mount.readOnly || mode === "ro" }));
  });
}

/** `[SOURCE:]TARGET[:MODE]` */
function short(value: Value): Mount | undefined {
  const parts = (value.text() ?? "").split(":");
  if (parts.length > 3) return value.invalid("is no [SOURCE:]TARGET[:MODE]");
  const [source, target, mode = ""] = parts.length === 1 ? [undefined, parts[0] ?? ""] : parts;
  const modes = mode.split(",");
  const isPath = source !== undefined && /^[./~]/.test(source);
  if (!target?.startsWith("/")) return value.invalid(`${target} is no absolute path in the container`);
  const propagation = modes.find((name) => /^r?(shared|slave|private)$/.test(name));
  return { type: isPath ? "bind" : "volume", source, target, readOnly: modes.includes("ro"), propagation, value };
}

function long(value: Value): Mount | undefined {
  value.only(["type", "source", "target", "read_only", "consistency", "bind", "volume", "tmpfs", "image"]);
  value.get("bind")?.only(["propagation", "create_host_path", "recursive", "selinux"]);
  value.get("volume")?.only(["labels", "nocopy", "subpath"]);
  value.get("tmpfs")?.only(["size", "mode"]);
  value.get("image")?.only(["subpath"]);
  const target = value.get("target")?.text();
  const type = value.get("type")?.text() ?? "volume";
  if (!target?.startsWith("/")) return value.invalid("needs a target, an absolute path in the container");
  value.get("tmpfs")?.get("mode")?.note("is 0777 here");
  return {
    type,
    source: value.get("source")?.text(),
    target,
    readOnly: value.get("read_only")?.flag() ?? false,
    subPath: value.get("volume")?.get("subpath")?.text() ?? value.get("image")?.get("subpath")?.text(),
    size: bytes(value.get("tmpfs")?.get("size")),
    propagation: value.get("bind")?.get("propagation")?.text(),
    value,
  };
}

/** `/run:size=64m,mode=1777` */
function temporaryMount(value: Value): Mount {
  const [target = "", options = ""] = (value.text() ?? "").split(":");
  const size = /(?:^|,)size=(\d+[kmg]?)/i.exec(options)?.[1];
  const units: Record<string, number> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
  const count = size && Number.parseInt(size, 10) * (units[size.at(-1)?.toLowerCase() ?? ""] ?? 1);
  const rest = options.split(",").filter((option) => option !== "" && !option.startsWith("size="));
  if (rest.length > 0) value.note(`${rest.join(",")} is not set: it is mounted rw and 0777`);
  return { type: "tmpfs", target, readOnly: false, ...(count && { size: count }), value };
}

function add(context: Context, found: Mounts, mount: Mount): void {
  const { source, target, value } = mount;
  const place = (volume: Volume, more: Partial<VolumeMount> = {}) => {
    const same = found.volumes.find(({ name, ...rest }) => digest(rest) === digest({ ...volume, name: undefined }));
    if (!same) found.volumes.push(volume);
    found.mounts.push({
      name: same?.name ?? volume.name,
      mountPath: target,
      ...(mount.readOnly && { readOnly: true }),
      ...(mount.subPath && { subPath: mount.subPath }),
      ...more,
    });
  };
  const name = unusedName(found.volumes, source && mount.type === "volume" ? source : basename(target));
  switch (mount.type) {
    case "tmpfs": {
      const sizeLimit = mount.size ? quantityOfBytes(mount.size) : undefined;
      return place({ name, emptyDir: { medium: "Memory", ...(sizeLimit && { sizeLimit }) } });
    }
    case "image":
      return source
        ? place({ name, image: { reference: source } }, { readOnly: true })
        : value.invalid("needs a source");
    case "volume": {
      if (source === undefined) {
        value.note("has no name, so that it ends with its pod", "name it and list it under volumes to keep it");
        return place({ name, emptyDir: {} });
      }
      const volume = volumeSource(context.project, source, value);
      if (!volume) return;
      found.isWriter ||= !mount.readOnly;
      return place({ name, ...volume });
    }
    case "bind":
      return bind(context, found, mount, name, place);
    default:
      value.refuse(`there is no volume of type ${mount.type}`, "volume, bind, tmpfs and image are there");
  }
}

type Placing = (volume: Volume, more?: Partial<VolumeMount>) => void;

/**
 * What lies beside the compose file and is only read becomes a ConfigMap, which comes along to any node. All else is the
 * path on the pod's node.
 */
function bind(context: Context, found: Mounts, mount: Mount, name: string, place: Placing): void {
  const { source = "", value, target } = mount;
  const path = source.startsWith("~")
    ? `${context.project.variables.HOME ?? "/root"}${source.slice(1)}`
    : resolve(value.folder, source);
  if (SOCKETS.test(path))
    return value.refuse("there is no Docker on the nodes", "leave the service out, or what it wants this for");
  const isBeside = /^\./.test(source);
  const isFile = context.disk.read(path) !== undefined;
  const contents = isBeside && (isFile || mount.readOnly) ? contentsOf(context.disk, path) : undefined;
  if (contents && contents.items.length > 0) {
    const { items, ...data } = contents;
    const map = context.object("v1", "ConfigMap", objectName(`${context.name}-${basename(path)}`), data);
    const same = found.objects.find((object) => object.metadata.name === map.metadata.name);
    if (same && digest(same) !== digest(map))
      map.metadata.name = `${map.metadata.name.slice(0, 55)}-${digest(path).slice(0, 6)}`;
    if (!same || same.metadata.name !== map.metadata.name) found.objects.push(map);
    found.contents.push(data);
    if (!mount.readOnly)
      value.note(`${source} becomes a ConfigMap, which is read-only`, "what is written to has to be in a volume");
    const mode = isFile ? {} : { items };
    // Scripts are often meant to be run.
    const volume = { name, configMap: { name: map.metadata.name, defaultMode: 0o755, ...mode } };
    return place(volume, { readOnly: true, ...(isFile && { subPath: items[0]?.key }) });
  }
  if (isBeside)
    value.note(
      `is ${path} of the node that the pod is on`,
      "with several nodes, say which by deploy.placement.constraints, or name a volume",
    );
  if (!mount.readOnly && !path.startsWith("/dev/") && !path.startsWith("/sys/")) found.isWriter = true;
  const isKnown = isFile || /^\/(dev|proc|sys|etc)\/|\.sock$/.test(path);
  const ways: Record<string, string> = { shared: "Bidirectional", slave: "HostToContainer" };
  const mountPropagation = ways[mount.propagation?.replace(/^r/, "") ?? ""];
  const create = value.get("bind")?.get("create_host_path")?.flag() ?? true;
  place(
    {
      name: unusedName(found.volumes, basename(target)),
      hostPath: { path, ...(!isKnown && { type: create ? "DirectoryOrCreate" : "Directory" }) },
    },
    mountPropagation ? { mountPropagation } : {},
  );
}

export function unusedName(volumes: readonly Volume[], wanted: string): string {
  const plain = objectName(wanted).slice(0, 55) || "volume";
  for (let count = 1; ; count++) {
    const name = count === 1 ? plain : `${plain}-${count}`;
    if (!volumes.some((volume) => volume.name === name)) return name;
  }
}
