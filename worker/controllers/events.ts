import type { KubeObject } from "../lib/object.ts";
import type { Intent } from "./controller.ts";

export const normal = (about: KubeObject, reason: string, message: string): Intent => ({
  do: "event",
  about,
  type: "Normal",
  reason,
  message,
});

export const warning = (about: KubeObject, reason: string, message: string): Intent => ({
  do: "event",
  about,
  type: "Warning",
  reason,
  message,
});
