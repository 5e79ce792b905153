/** What `/version` says. https://kubernetes.io/docs/reference/using-api/health-checks/ tells of the health paths. */
const MAJOR = "1";
const MINOR = "35";

/** The Kubernetes release whose API this is. Clients compare it as semver, so it carries no suffix. */
const GIT_VERSION = `v${MAJOR}.${MINOR}.4`;

export const version = {
  major: MAJOR,
  minor: MINOR,
  gitVersion: GIT_VERSION,
  gitCommit: "skerry",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "workerd",
  platform: "cloudflare/workers",
};

const CHECKS = ["ping", "storage"];

/** `/healthz`, `/livez`, `/readyz`, and one check of them by name; undefined for an unknown check. */
export function health(endpoint: string, check: string | undefined, verbose: boolean): string | undefined {
  if (check !== undefined) return CHECKS.includes(check) ? "ok" : undefined;
  if (!verbose) return "ok";
  return `${CHECKS.map((name) => `[+]${name} ok\n`).join("")}${endpoint} check passed\n`;
}
