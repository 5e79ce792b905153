import type { Bucket } from "../edge/bucket.ts";
import type { Ask } from "./ask.ts";

/** Where its bytes lie in the bucket; `id` is the Registry object's. */
export const folderOf = (cluster: string, id: { toString(): string }): string => `${cluster}/registry/${id}`;

/** What a cluster's registry is made of, for one request. */
export type RegistryParts = {
  clusterName: string;
  cluster: { fetch(request: Request): Promise<Response> };
  bucket: Bucket | undefined;
  /** Of the bucket, and of this Registry object alone: what it does not know there is garbage. */
  folder: string;
  ask: Ask;
  now(): number;
  uid(): string;
};
