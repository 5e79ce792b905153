/** Backups of volumes in a deployment's bucket: `edge/volume-backups.ts` tells of their paths. */

/** What makes a backup whole: the ids of its chunks in their order, and what all their bytes are together. */
export type VolumeBackupIndex = { time: string; bytes: number; sha256: string; chunks: readonly string[] };

/** As it is listed. One that is not complete was broken off, is being made, or has an index that cannot be read. */
export type VolumeBackup = { name: string; complete: boolean; unreadable?: boolean; time?: string; bytes?: number };

/** A chunk is one request, and one object in the bucket. */
export const CHUNK_BYTES = 4 * 1024 * 1024;
