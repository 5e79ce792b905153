/**
 * What autoscalers ask for, from whoever serves it: metrics of pods from the nodes or a metrics server, those of requests
 * from the nodes, custom and external ones from the servers that APIServices name. Why there is no answer is told in the words of client-go.
 */
import type { Extensions, Reply } from "./api/aggregation/aggregation.ts";
import { controllerUser, requestOf } from "./api/engine/controller-writes.ts";
import { customValues, type SeenByNodes } from "./api/metrics/custom.ts";
import { askMetrics, type Usages } from "./api/metrics/metrics.ts";
import type { StoreView } from "./api/view.ts";
import { AUTOSCALER } from "./controllers/horizontalpodautoscaler/horizontalpodautoscaler.ts";
import type { Answer, Answers, PodUsage, Question } from "./controllers/horizontalpodautoscaler/metrics.ts";
import { identityOf } from "./controllers/horizontalpodautoscaler/metrics.ts";
import { type Extension, REGISTRATIONS, type Registration } from "./kinds/apiregistration/api-service.ts";
import type { Kind } from "./kinds/kind.ts";
import { MEASURED, metricsOf } from "./kinds/metrics/custom.ts";
import { METRICS_GROUP, PodMetrics } from "./kinds/metrics/metrics.ts";
import { parseDuration } from "./lib/cel/times.ts";
import { errorText } from "./lib/error-text.ts";

export type MeasurementParts = {
  view: StoreView;
  extensions: Extensions;
  /** Absent where nodes cannot be asked. */
  usages: Usages | undefined;
  /** Absent likewise. */
  traffic?: SeenByNodes | undefined;
  now(): number;
};

const CUSTOM = "custom.metrics.k8s.io";
const EXTERNAL = "external.metrics.k8s.io";
/** Those that are understood. */
const CUSTOM_VERSIONS = ["v1beta2", "v1beta1"];
/** Less than between two looks of an autoscaler. */
const TIMEOUT_MS = 10_000;
const NANOS_A_MS = 1_000_000n;

/** A request to a metrics API: of which group, and what errors call the thing. */
type Asked = { group: string; version: string; path: string; shown: string };

type Json = { readonly [field: string]: unknown };
const json = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");

export class Measurements {
  readonly #parts: MeasurementParts;

  constructor(parts: MeasurementParts) {
    this.#parts = parts;
  }

  /** Never rejects: what did not come says why. */
  async answers(questions: readonly Question[]): Promise<Answers> {
    const all = questions.map(async (question): Promise<[string, Answer]> => {
      const answer = await this.#answer(question).catch((error: unknown) => ({ failed: errorText(error) }));
      return [identityOf(question), answer];
    });
    return new Map(await Promise.all(all));
  }

  async #answer(question: Question): Promise<Answer> {
    if (question.api === "resource") return this.#resources(question);
    if (question.api === "external") {
      const { namespace, metric, metricSelector } = question;
      const path = `namespaces/${namespace}/${encodeURIComponent(metric)}${query({ labelSelector: metricSelector })}`;
      return this.#values({ group: EXTERNAL, version: "v1beta1", path, shown: `${metric}.${EXTERNAL}` });
    }
    const version = this.#customVersion();
    if (this.#registrations(CUSTOM).length === 0) return this.#ownCustom(question);
    if (!version) return { failed: NO_VERSION };
    const answer = await this.#values({ group: CUSTOM, version, ...customPath(question) });
    if (question.api === "pods" || !("values" in answer) || answer.values.length === 1) return answer;
    const found = `returned ${answer.values.length} results when we asked for exactly one`;
    return { failed: `the custom metrics API server ${found}` };
  }

  /** Of requests, as the nodes say. */
  async #ownCustom(question: Question & { api: "pods" | "object" }): Promise<Answer> {
    const { view, traffic, now } = this.#parts;
    const { namespace, metricSelector } = question;
    const all = question.api === "pods";
    const resource = all ? "pods" : MEASURED.find((known) => known === question.resource);
    const metric = resource && metricsOf(resource).find((known) => known === question.metric);
    if (!metric || !resource) return { failed: NOT_REGISTERED };
    const which = all ? { name: "*", selector: question.selector } : { name: question.name, selector: "" };
    const asked = { resource, namespace, metric, metricSelector, ...which };
    const values = await customValues({ view, traffic, now }, asked);
    return { values: values.map(({ of, value }) => ({ of: of.metadata?.name ?? "", value })) };
  }

  #registrations(group: string): Registration[] {
    return [...this.#parts.view.digest(REGISTRATIONS).values()].filter((known) => known.group === group);
  }

  #customVersion(): string | undefined {
    const known = this.#registrations(CUSTOM).filter(({ version }) => CUSTOM_VERSIONS.includes(version));
    return known.toSorted((a, b) => b.versionPriority - a.versionPriority || order(a) - order(b))[0]?.version;
  }

  async #resources({ namespace, selector }: Question & { api: "resource" }): Promise<Answer> {
    const asked = { group: METRICS_GROUP, version: "v1beta1", shown: `pods.${METRICS_GROUP}` };
    const path = `namespaces/${namespace}/pods${query({ labelSelector: selector })}`;
    const items = this.#serverOf(asked) ? await this.#items({ ...asked, path }) : await this.#own(namespace, selector);
    return "failed" in items ? items : { pods: items.found.map(podUsage) };
  }

  /** As the nodes say. */
  async #own(namespace: string, selector: string): Promise<Items> {
    const { view, usages, now } = this.#parts;
    const kind = PodMetrics as unknown as Kind;
    const request = requestOf("list", kind, { namespace, name: "" }, AUTOSCALER);
    request.query.set("labelSelector", selector);
    const answer = await askMetrics({ view, now, ...(usages && { usages }) }, request);
    return { found: answer?.type === "list" ? answer.items.map((item) => json(JSON.parse(item))) : [] };
  }

  async #values(asked: Asked): Promise<Answer> {
    const items = await this.#items(asked);
    if ("failed" in items) return items;
    const values = items.found.map((item) => ({ of: text(json(item.describedObject).name), value: text(item.value) }));
    return { values };
  }

  #serverOf({ group, version }: Pick<Asked, "group" | "version">): Extension | undefined {
    return this.#parts.view.digest(REGISTRATIONS).get(`/${version}.${group}`)?.extension;
  }

  async #items(asked: Asked): Promise<Items> {
    const { extensions } = this.#parts;
    const server = this.#serverOf(asked);
    if (!server) return { failed: failureOf(404, "", asked) };
    extensions.used(server);
    if (!server.available) return { failed: failureOf(503, "", asked) };
    const path = `/apis/${asked.group}/${asked.version}/${asked.path}`;
    const as = controllerUser(AUTOSCALER);
    const reply = await extensions.get(server, { path, accept: "application/json", as, timeoutMs: TIMEOUT_MS });
    return itemsOf(reply, asked);
  }
}

const NOT_REGISTERED = `no custom metrics API (${CUSTOM}) registered`;
const NO_VERSION = "no known available metric versions found";
const order = ({ version }: Registration) => CUSTOM_VERSIONS.indexOf(version);

type Items = { found: Json[] } | { failed: string };

function itemsOf({ status, text: body }: Reply, asked: Asked): Items {
  const answer = parsed(body);
  if (status < 200 || status > 206) {
    const told = answer?.kind === "Status" ? text(answer.message) : "";
    return { failed: told || failureOf(status, body, asked) };
  }
  if (!answer) return { failed: "the server returned something that is no JSON" };
  return { found: (Array.isArray(answer.items) ? answer.items : []).map(json) };
}

function parsed(body: string): Json | undefined {
  try {
    return json(JSON.parse(body));
  } catch {
    return undefined;
  }
}

/** What client-go makes of an answer without a Status. */
function failureOf(code: number, body: string, { shown }: Asked): string {
  const about = ` (get ${shown})`;
  if (code === 404) return `the server could not find the requested resource${about}`;
  if (code === 503) return `the server is currently unable to handle the request${about}`;
  if (code === 401) return `the server has asked for the client to provide credentials${about}`;
  if (code === 403) return `${body.trim()}${about}`;
  if (code >= 500)
    return `an error on the server (${JSON.stringify(body.trim())}) has prevented the request from succeeding${about}`;
  return `the server responded with the status code ${code} but did not return more information${about}`;
}

function query(given: Readonly<Record<string, string>>): string {
  const present = Object.entries(given).filter(([, value]) => value !== "");
  return present.length === 0 ? "" : `?${new URLSearchParams(present)}`;
}

function customPath(question: Question & { api: "pods" | "object" }): Pick<Asked, "path" | "shown"> {
  const { namespace, metric, metricSelector: metricLabelSelector } = question;
  const inNamespace = `namespaces/${namespace}`;
  const last = encodeURIComponent(metric);
  if (question.api === "pods") {
    const asked = query({ labelSelector: question.selector, metricLabelSelector });
    return { path: `${inNamespace}/pods/*/${last}${asked}`, shown: `pods.${CUSTOM} *` };
  }
  const { resource, name } = question;
  const asked = query({ metricLabelSelector });
  if (resource === undefined)
    return { path: `${inNamespace}/metrics/${last}${asked}`, shown: `metrics.${CUSTOM} ${metric}` };
  const path = `${inNamespace}/${resource}/${encodeURIComponent(name)}/${last}${asked}`;
  return { path, shown: `${resource}.${CUSTOM} ${name}` };
}

function podUsage(item: Json): PodUsage {
  const containers = (Array.isArray(item.containers) ? item.containers : []).map((given: unknown) => {
    const { name, usage } = json(given);
    const amounts = Object.entries(json(usage)).map(([resource, amount]) => [resource, text(amount)] as const);
    return { name: text(name), usage: Object.fromEntries(amounts) };
  });
  const windowMs = Number((parseDuration(text(item.window))?.nanos ?? 0n) / NANOS_A_MS);
  return { name: text(json(item.metadata).name), at: Date.parse(text(item.timestamp)) || 0, windowMs, containers };
}
