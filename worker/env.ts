import type { Cluster } from "./cluster.ts";
import type { Metrics } from "./metrics.ts";
import type { Registry } from "./registry.ts";
import type { Relay } from "./relay.ts";

/** What the platform binds: named the same in wrangler.toml, in workerd's configuration and in tests. */
export type Env = {
  CLUSTER: DurableObjectNamespace<Cluster>;
  RELAY: DurableObjectNamespace<Relay>;
  REGISTRY: DurableObjectNamespace<Registry>;
  METRICS: DurableObjectNamespace<Metrics>;
  /** Where backups of volumes and images lie, on Cloudflare; a deployment need have none. */
  BUCKET?: R2Bucket;
  /** The same where workerd runs on a machine of one's own: a folder. */
  BUCKET_DISK?: Fetcher;
  /** The deployment's secret, from which each cluster's administrator token derives. */
  SKERRY_SECRET?: string;
  /** `ClusterConfig` overrides as JSON, e.g. `{"serviceCIDR":"10.97.0.0/16"}`. */
  SKERRY_CONFIG?: string;
  /** Secret: static tokens, a line each as in kube-apiserver's `--token-auth-file`. */
  SKERRY_TOKENS?: string;
  /** kube-apiserver's AuthenticationConfiguration as JSON: `lib/authentication-config.ts`. */
  SKERRY_AUTHENTICATION?: string;
  /** Secret: what the page logs in by at these issuers, as JSON: `lib/login-clients.ts`. */
  SKERRY_LOGIN_CLIENTS?: string;
  /** `sha256:…` of the authority that the server's certificate is by, where that is no public one: for machines that join. */
  SKERRY_CA_HASH?: string;
  /** Host names of the API's, joined by commas, which no Ingress can have: `edge/app-host.ts`. */
  SKERRY_API_HOSTS?: string;
  /** In which `fwd-….` are hosts where pods are shown by the page: `edge/forward.ts`. Its names in one level lead to the Worker. */
  SKERRY_FORWARD_DOMAIN?: string;
  /** The files of the page: `dist/page`, as `edge/page.ts` serves them. */
  PAGE?: Fetcher;
  /** The way to receivers of alerts, where it is not the platform's own: on one's own machine they may be near. */
  RECEIVERS?: Fetcher;
  /** The way to issuers of ID tokens, where it is not the platform's own: on one's own machine they may be near. */
  ISSUERS?: Fetcher;
};
