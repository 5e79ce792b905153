/**
 * `/healthz`, `/livez` and `/readyz`, with kube-apiserver's checks by its names and in its order, for those who look for
 * one. Here all are one: what cannot start answers nothing.
 * https://kubernetes.io/docs/reference/using-api/health-checks/
 */
const FIRST = ["ping", "log", "etcd"];
const READY = ["etcd-readiness", "informer-sync"];
const HOOKS = `start-apiserver-admission-initializer generic-apiserver-start-informers
priority-and-fairness-config-consumer priority-and-fairness-filter storage-object-count-tracker-hook
start-apiextensions-informers start-apiextensions-controllers crd-informer-synced start-system-namespaces-controller
start-cluster-authentication-info-controller start-kube-apiserver-identity-lease-controller
start-kube-apiserver-identity-lease-garbage-collector start-legacy-token-tracking-controller
start-service-ip-repair-controllers rbac/bootstrap-roles scheduling/bootstrap-system-priority-classes
priority-and-fairness-config-producer bootstrap-controller start-kubernetes-service-cidr-controller
start-kube-aggregator-informers apiservice-status-local-available-controller
apiservice-status-remote-available-controller apiservice-registration-controller apiservice-discovery-controller
kube-apiserver-autoregistration apiservice-openapi-controller apiservice-openapiv3-controller`
  .split(/\s+/)
  .map((name) => `poststarthook/${name}`)
  // It comes after the hook that it waits for.
  .toSpliced(-2, 0, "autoregister-completion");

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  healthz: [...FIRST, ...HOOKS],
  livez: [...FIRST, ...HOOKS],
  readyz: [...FIRST, ...READY, ...HOOKS, "shutdown"],
};

export const HEALTH_ENDPOINTS = Object.keys(CHECKS);

/** Every path of health, as the index of paths has them. */
export const healthPaths = (): string[] =>
  Object.entries(CHECKS).flatMap(([endpoint, checks]) => [
    `/${endpoint}`,
    ...checks.map((name) => `/${endpoint}/${name}`),
  ]);

/** The same for Prometheus: https://kubernetes.io/docs/reference/instrumentation/slis/ */
export function healthMetrics(): string {
  const samples = Object.entries(CHECKS).flatMap(([type, checks]) =>
    checks.map((name) => `kubernetes_healthcheck{name="${name}",type="${type}"} 1\n`),
  );
  const help = "# HELP kubernetes_healthcheck [STABLE] This metric records the result of a single healthcheck.\n";
  return `${help}# TYPE kubernetes_healthcheck gauge\n${samples.join("")}`;
}

/** What a path says, e.g. `/livez/etcd`; undefined for an unknown check. */
export function health(path: string, query: URLSearchParams): string | undefined {
  const [, endpoint = "", check = ""] = /^\/(\w+)\/?(.*)$/.exec(path) ?? [];
  const checks = CHECKS[endpoint] ?? [];
  if (check) return checks.includes(check) ? "ok" : undefined;
  if (!query.has("verbose")) return "ok";
  const excluded = query.getAll("exclude");
  const lines = checks.map((name) => `[+]${name} ${excluded.includes(name) ? "excluded: " : ""}ok\n`);
  const unknown = excluded.filter((name) => !checks.includes(name)).map((name) => JSON.stringify(name));
  if (unknown.length) lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(",")}\n`);
  return `${lines.join("")}${endpoint} check passed\n`;
}
