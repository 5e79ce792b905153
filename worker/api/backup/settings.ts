/** Which of the settings are of the cluster, wherever it runs, and which of the place where it is stored. */

/** What a cluster is set up with; the deployment may say otherwise for clusters that are made later. */
export const RANGES = "cluster.ranges";
/** How far a restore has come. */
export const STATE = "restore.state";
/** The check of the backup that was restored last, for a client that did not hear of it. */
export const LAST = "restore.last";

/** What was used this month of what is billed. */
export const USAGE = "usage";

/** Of the place: no backup has them, and no restore changes them. */
export const LOCAL_SETTINGS: readonly string[] = ["cluster.name", "encryption.keys", USAGE];

/** Said of the storage as it is; what is restored begins without. */
export const TRANSIENT_SETTINGS: readonly string[] = ["log.horizon", "controllers.known", STATE, LAST];

/** By these a cluster is itself and no other. A fork has its own. */
export const IDENTITY_SETTINGS: readonly string[] = [
  "cluster.id",
  "cluster.authority",
  "cluster.front-proxy",
  "serviceaccount.key",
];
