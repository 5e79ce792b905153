/** What `/version` says. */
const MAJOR = "1";
const MINOR = "35";

/** The Kubernetes release whose API this is. Clients compare it as semver, so it carries no suffix. */
const GIT_VERSION = `v${MAJOR}.${MINOR}.4`;

export const version = {
  major: MAJOR,
  minor: MINOR,
  emulationMajor: MAJOR,
  emulationMinor: MINOR,
  minCompatibilityMajor: MAJOR,
  minCompatibilityMinor: "34",
  gitVersion: GIT_VERSION,
  gitCommit: "skerry",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "workerd",
  platform: "cloudflare/workers",
};
