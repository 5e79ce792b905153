/** How a container is told of its mounts: nerdctl's flags, and for what they cannot take the container's specification. */
import { SpecAnnotation } from "../node/oci-runtime.ts";
import type { ContainerMount } from "../volumes/volume.ts";

/**
 * Bytes of the flags' mounts. nerdctl keeps a list of them in a label, with its own for volumes of the image; containerd
 * takes labels of 4,096 bytes.
 */
const MOST_LISTED = 3_000;
/** What nerdctl writes of one beside its places and twice its options. */
const LISTED_EACH = 100;

/** What `nerdctl run` takes. What lies deep is mounted last: as it goes into others, it is what may go the other way. */
export function mountFlags(given: readonly ContainerMount[]): string[] {
  const devices = given.flatMap(({ source, target, device }) =>
    device ? ["--device", `${source}:${target}:${device}`] : [],
  );
  return [...devices, ...fileFlags(given.filter(({ device }) => !device))];
}

function fileFlags(given: readonly ContainerMount[]): string[] {
  const mounts = given.toSorted((a, b) => depthOf(a) - depthOf(b));
  let left = MOST_LISTED;
  const rest = mounts.findIndex((mount) => {
    left -= LISTED_EACH + Buffer.byteLength(mount.source + mount.target) + 2 * optionsOf(mount).length;
    return left < 0;
  });
  if (rest === -1) return mounts.flatMap(volumeFlag);
  const added = mounts.slice(rest).map(inSpec);
  return [
    ...mounts.slice(0, rest).flatMap(volumeFlag),
    ...["--annotation", `${SpecAnnotation.mounts}=${escaped(JSON.stringify(added).slice(1, -1))}`],
  ];
}

const depthOf = ({ target }: ContainerMount) => target.split("/").filter(Boolean).length;

const volumeFlag = (mount: ContainerMount) => ["-v", [mount.source, mount.target, optionsOf(mount)].join(":")];

function optionsOf(mount: ContainerMount): string {
  const { readOnly, recursive, propagation = "rprivate" } = mount;
  return readOnly ? `${recursive ? "rro" : "ro"},${propagation}` : propagation;
}

/** https://github.com/opencontainers/runtime-spec/blob/main/config.md#mounts */
const inSpec = (mount: ContainerMount) => ({
  destination: mount.target,
  type: "bind",
  source: mount.source,
  options: ["rbind", ...optionsOf(mount).split(",")],
});

/** Within a text of the specification each backslash stands for the character after it, and nothing else is escaped. */
const escaped = (json: string) =>
  json.replace(/[^ -~]|[<>&]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
