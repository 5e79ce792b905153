import type { Bucket } from "../edge/bucket.ts";
import type { Ask } from "./ask.ts";

/** Where its bytes lie in the bucket; `id` is the Registry object's. */
export const folderOf = (cluster: string, id: { toString(): string }): string => `${cluster}/registry/${id}`;

/** Empties a folder of the bucket. */
export async function removeAll(bucket: Bucket, folder: string, isGarbage = (_: string) => true): Promise<void> {
  const { files } = await bucket.list(folder);
  const keys = files.filter(isGarbage).map((file) => `${folder}/${file}`);
  if (keys.length > 0) await bucket.remove(keys);
}

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
