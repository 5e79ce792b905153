/** One bad request and the exact answer to it. */
export type Row = {
  name: string;
  /** `METHOD /path`. */
  ask: string;
  /** An object is sent as JSON, text as it is. */
  body?: object | string | Buffer;
  headers?: Record<string, string>;
  /** Whose token goes with it; the administrator's when not given. */
  as?: string;
  status: number;
  /** Of the Status; "" when the answer is none, or has none. */
  reason: string;
  message: string | RegExp;
};

export const CONFIG_MAPS = "/api/v1/namespaces/bad/configmaps";
export const PODS = "/api/v1/namespaces/bad/pods";
export const SERVICES = "/api/v1/namespaces/bad/services";
export const DEPLOYMENTS = "/apis/apps/v1/namespaces/bad/deployments";

export const configMap = (metadata: object, more: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata,
  ...more,
});
const container = { name: "c", image: "busybox:test" };
export const pod = (spec: object, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "x", ...metadata },
  spec,
});
/** A pod whose one container has these fields. */
export const podWith = (fields: object) => pod({ containers: [{ ...container, ...fields }] });
export const service = (spec: object) => ({ apiVersion: "v1", kind: "Service", metadata: { name: "x" }, spec });
export const deployment = (spec: object) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "x" },
  spec: {
    selector: { matchLabels: { app: "x" } },
    template: { metadata: { labels: { app: "x" } }, spec: { containers: [container] } },
    ...spec,
  },
});

export const refused = (status: number, reason: string, message: string | RegExp) => ({ status, reason, message });
export const badRequest = (message: string | RegExp) => refused(400, "BadRequest", message);
export const invalid = (message: string | RegExp) => refused(422, "Invalid", message);
