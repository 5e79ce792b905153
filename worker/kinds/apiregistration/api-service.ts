import { pathSegmentProblems } from "../../lib/names.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateApiService } from "../validation/api-service.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/api-service-v1/ */
export type APIService = Schemas["io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"];

const DEFAULT_PORT = 443;

/** What is true of every APIService whose group is served here. */
export const LOCAL = {
  type: "Available",
  status: "True",
  reason: "Local",
  message: "Local APIServices are always available",
} as const;

const availability = (status: APIService["status"]) => status?.conditions?.find(({ type }) => type === LOCAL.type);

function available({ status }: APIService): string {
  const condition = availability(status);
  if (!condition) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason ?? ""})`;
}

export const APIService = defineKind({
  schema: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  // The core group's is named `v1.`, which is no domain name.
  nameProblems: pathSegmentProblems,
  default({ spec }) {
    if (spec.service) spec.service.port ??= DEFAULT_PORT;
  },
  prepareForCreate(service) {
    if (service.spec.service) return;
    const lastTransitionTime = service.metadata.creationTimestamp;
    service.status = { conditions: [{ ...LOCAL, ...(lastTransitionTime && { lastTransitionTime }) }] };
  },
  validate: validateApiService,
  columns: [
    nameColumn,
    {
      name: "Service",
      type: "string",
      value: ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : "Local"),
    },
    { name: "Available", type: "string", value: available },
    ageColumn,
  ],
});

/** A group and version of which another server is in charge. */
export type Extension = {
  name: string;
  group: string;
  version: string;
  service: { namespace: string; name: string; port: number };
  /** PEM of who must have signed the server's certificate; "" is whom the node trusts. */
  ca: string;
  insecure: boolean;
  available: boolean;
};

/** What the API remembers of every APIService. */
export type Registration = {
  group: string;
  version: string;
  groupPriority: number;
  versionPriority: number;
  /** Absent where the group is served here. */
  extension?: Extension;
};

export const REGISTRATIONS = { kind: APIService, of: registrationOf };

function registrationOf({ metadata, spec, status }: Readonly<APIService>): Registration {
  const { group = "", version = "", groupPriorityMinimum: groupPriority, versionPriority, service } = spec;
  const registration = { group, version, groupPriority, versionPriority };
  if (!service) return registration;
  const { namespace = "", name = "", port = DEFAULT_PORT } = service;
  return {
    ...registration,
    extension: {
      name: metadata.name ?? "",
      group,
      version,
      service: { namespace, name, port },
      ca: spec.caBundle ? atob(spec.caBundle) : "",
      insecure: spec.insecureSkipTLSVerify ?? false,
      available: availability(status)?.status === "True",
    },
  };
}
