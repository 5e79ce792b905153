import { createServer, type Server, type ServerResponse } from "node:http";
import { errorText } from "../../../worker/lib/error-text.ts";
import type { EndpointSlice, Service } from "../types.ts";
import { isOurs, isPort } from "./endpoints.ts";
import { type Source, sourcesOf } from "./sources.ts";

/** What load balancers ask of a node: whether a Service has ready endpoints on it. */
export type HealthCheck = { service: Service; port: number; localEndpoints: number };

/**
 * Those of Services that keep outside traffic on its node. Endpoints that drain do not count, so that a load balancer
 * lets go of a node before its last endpoint ends.
 * https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
 */
export function healthChecksFor(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  nodeName: string,
): HealthCheck[] {
  const asked = services.filter(isAsked);
  if (asked.length === 0) return [];
  return [...sourcesOf(asked, slices).values()].map((source) => ({
    service: source.service,
    port: source.service.spec?.healthCheckNodePort ?? 0,
    localEndpoints: localEndpoints(source, nodeName),
  }));
}

function isAsked(service: Service): boolean {
  const { type, externalTrafficPolicy, healthCheckNodePort } = service.spec ?? {};
  const hasPort = type === "LoadBalancer" && externalTrafficPolicy === "Local" && isPort(healthCheckNodePort);
  return hasPort && isOurs(service);
}

function localEndpoints({ service, slices }: Source, nodeName: string): number {
  const ready = slices
    .filter(
      ({ addressType, ports }) => addressType === (service.spec?.ipFamilies?.[0] ?? "IPv4") && (ports ?? []).length > 0,
    )
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter((endpoint) => endpoint.nodeName === nodeName && endpoint.conditions?.ready !== false);
  return new Set(ready.flatMap(({ addresses }) => addresses?.[0] ?? [])).size;
}

export type HealthChecksOptions = {
  /** Whether what Services want is in the kernel. */
  isServing(): boolean;
  /** Nobody can be answered on a port; told once while it lasts. */
  failed(service: Service, message: string): void;
  nodeName: string;
};

const keyOf = ({ service: { metadata } }: HealthCheck) => `${metadata?.namespace}/${metadata?.name}`;

type Answering = { server: Server; check: HealthCheck };

/** Answers load balancers' health checks, each Service's on a port of its own, as kube-proxy does. */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  /** By `namespace/name`. */
  readonly #answering = new Map<string, Answering>();
  readonly #failed = new Map<string, string>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  /** What cannot be listened on is tried again by the next call. Never rejects. */
  async apply(wanted: readonly HealthCheck[]): Promise<void> {
    const byName = new Map(wanted.map((check) => [keyOf(check), check]));
    for (const [key, { server, check }] of this.#answering) {
      if (byName.get(key)?.port === check.port) continue;
      this.#answering.delete(key);
      await closed(server);
    }
    for (const key of this.#failed.keys()) if (!byName.has(key)) this.#failed.delete(key);
    for (const [key, check] of byName) {
      const known = this.#answering.get(key);
      if (known) known.check = check;
      else await this.#open(key, check);
    }
  }

  async close(): Promise<void> {
    await this.apply([]);
  }

  async #open(key: string, check: HealthCheck): Promise<void> {
    const answering: Answering = { server: createServer((_, response) => this.#answer(answering, response)), check };
    try {
      await listening(answering.server, check.port);
      this.#answering.set(key, answering);
      this.#failed.delete(key);
    } catch (error) {
      const message = `node ${this.#options.nodeName} failed to start healthcheck "${key}" on port ${check.port}: ${errorText(error)}`;
      if (this.#failed.get(key) === message) return;
      this.#failed.set(key, message);
      this.#options.failed(check.service, message);
    }
  }

  #answer({ check }: Answering, response: ServerResponse): void {
    const { service, localEndpoints } = check;
    const { namespace, name } = service.metadata ?? {};
    const serviceProxyHealthy = this.#options.isServing();
    response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
      "Content-Type": "application/json",
      "X-Content-Type-Options": "nosniff",
      "X-Load-Balancing-Endpoint-Weight": `${localEndpoints}`,
    });
    response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }, null, "\t"));
  }
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "0.0.0.0", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
