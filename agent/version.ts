import manifest from "../package.json" with { type: "json" };

/** Skerry's own version. */
export const VERSION: string = manifest.version;
