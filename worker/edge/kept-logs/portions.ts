/**
 * How portions of logs lie in the bucket: `CLUSTER/logs/NAMESPACE/DAY/` holds what goes after that day, whatever becomes of
 * the namespace, and the name of a file says whose it is and from when. No index has to agree with them.
 */
import { fnv32 } from "../../lib/fnv.ts";
import type { Bucket } from "../bucket.ts";

export type Portion = {
  /** As the bucket has it: `shortened`. */
  pod: string;
  uid: string;
  container: string;
  attempt: number;
  /** Portions of an attempt are counted from 0. What is sent again has the same number. */
  number: number;
  /** When its first and last line were printed, ms since the epoch. */
  first: number;
  last: number;
  bytes: number;
};
/** One that lies there, and where. */
export type Kept = Portion & { key: string };

/** Of a namespace, a pod or a container: no other is part of a file's name. */
export const NAME = /^[a-z0-9][-.a-z0-9]{0,252}$/;

const DAY_MS = 86_400_000;
/** A file's name has at most 255 bytes, of which the rest of it needs 140. */
const MAX_POD_CHARACTERS = 100;
const BASE = 36;

export const folderOf = (cluster: string, namespace: string): string => `${cluster}/logs/${namespace}`;

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, "2026-11-27".length);

/** A longer name keeps its beginning. */
export function shortened(pod: string): string {
  if (pod.length <= MAX_POD_CHARACTERS) return pod;
  const hash = `_${fnv32(pod).toString(BASE)}`;
  return pod.slice(0, MAX_POD_CHARACTERS - hash.length) + hash;
}

export function keyOf(folder: string, days: number, portion: Portion): string {
  const { pod, uid, container, attempt, number, first, last, bytes } = portion;
  const numbers = [attempt, number, first, last, bytes].map((value) => value.toString(BASE));
  return `${folder}/${dayOf(portion.last + days * DAY_MS)}/${[shortened(pod), uid, container, ...numbers].join("~")}`;
}

function keptAt(key: string): Kept | [] {
  const [pod = "", uid = "", container = "", ...numbers] = key.slice(key.lastIndexOf("/") + 1).split("~");
  const [attempt = 0, number = 0, first = 0, last = 0, bytes] = numbers.map((text) => Number.parseInt(text, BASE));
  if (!bytes) return [];
  return { pod, uid, container, attempt, number, first, last, bytes, key };
}

/** All of a namespace that are not past their day, or of a pod, in no order. */
export async function listKept(bucket: Bucket, folder: string, now: number, pod?: string): Promise<Kept[]> {
  const beginning = pod === undefined ? "" : `${shortened(pod)}~`;
  const days = (await bucket.list(folder)).folders.filter((day) => day >= dayOf(now));
  const found = days.map(async (day) => {
    const { files } = await bucket.list(`${folder}/${day}`, beginning);
    return files.flatMap((file) => keptAt(`${folder}/${day}/${file}`));
  });
  return (await Promise.all(found)).flat();
}

/** Oldest first, each once: attempts of a container by their beginning, whatever pod of the name they were of. */
export function inOrder(portions: readonly Kept[]): Kept[] {
  const attempts = new Map<string, Map<number, Kept>>();
  for (const portion of portions) {
    const key = `${portion.uid}~${portion.container}~${portion.attempt}`;
    attempts.set(key, (attempts.get(key) ?? new Map<number, Kept>()).set(portion.number, portion));
  }
  return [...attempts.values()]
    .map((attempt) => [...attempt.values()].toSorted((a, b) => a.number - b.number))
    .toSorted(([a], [b]) => (a?.first ?? 0) - (b?.first ?? 0))
    .flat();
}

/** Removes what is past its day. */
export async function removeOutdated(bucket: Bucket, folder: string, now: number): Promise<void> {
  for (const day of (await bucket.list(folder)).folders)
    if (day < dayOf(now)) await removeDay(bucket, `${folder}/${day}`);
}

async function removeDay(bucket: Bucket, folder: string): Promise<void> {
  await bucket.remove((await bucket.list(folder)).files.map((file) => `${folder}/${file}`));
}

/** A tenth is made free at once, so that it is not to be done again at each portion. */
const LEFT = 0.9;

/** Removes the oldest where there are more bytes than that. */
export async function holdWithin(bucket: Bucket, folder: string, mostBytes: number, now: number): Promise<void> {
  await removeOutdated(bucket, folder, now);
  const portions = (await listKept(bucket, folder, now)).toSorted((a, b) => b.last - a.last);
  const all = portions.reduce((sum, { bytes }) => sum + bytes, 0);
  if (all <= mostBytes) return;
  let left = 0;
  const isOver = ({ bytes }: Kept) => {
    left += bytes;
    return left > mostBytes * LEFT;
  };
  await bucket.remove(portions.filter(isOver).map(({ key }) => key));
}

/** Removes what is past its day of all of a cluster's namespaces. */
export async function removeAllOutdated(bucket: Bucket, cluster: string, now: number): Promise<void> {
  for (const namespace of (await bucket.list(`${cluster}/logs`)).folders)
    await removeOutdated(bucket, folderOf(cluster, namespace), now);
}
