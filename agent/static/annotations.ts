/** What marks static pods and the pods of the API that stand for them. */
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";

export const Annotation = {
  /** What the file says, as a hash: the pod's uid on its node. */
  hash: "kubernetes.io/config.hash",
  source: "kubernetes.io/config.source",
  seen: "kubernetes.io/config.seen",
  /** On the pod that stands for it in the API: the hash again. */
  mirror: "kubernetes.io/config.mirror",
} as const;

export const isStatic = ({ metadata }: CoreV1Pod): boolean => metadata.annotations?.[Annotation.source] === "file";

/** The hash of the static pod that a pod of the API stands for. */
export const mirrored = ({ metadata }: CoreV1Pod): string | undefined => metadata.annotations?.[Annotation.mirror];
