/** What is kept of alerts, in objects that any client can read: by the controller, and for the page and `skerry status`. */
import type { ProblemRule } from "./problems.ts";

export const ALERTS_NAMESPACE = "kube-system";
/** The ConfigMap that says who is told of what; a cluster need have none. */
export const ALERTS_CONFIG = "skerry-alerts";
/** The ConfigMap that says what fires and who was told; written by the controller alone. */
export const ALERTS_STATUS = "skerry-alerts-status";
/** The Secret of what receivers are known by. */
export const ALERTS_SECRET = "skerry-alerts";
/** The Secret of the browsers that are told, and of the key that they know the cluster by. */
export const ALERTS_PUSH_SECRET = "skerry-alerts-webpush";
/** Its key whose value is the private key as a JWK. */
export const VAPID_KEY = "vapid.jwk";
/** Its other keys begin with it, and hold a PushSubscription each, with `user` and `device` beside what a browser says. */
export const SUBSCRIPTION_PREFIX = "subscription-";
/** So many browsers at most are told. */
export const MAX_BROWSERS = 50;
/** The receiver that a subscription is, by what follows the prefix in its key. */
export const pushReceiver = (id: string) => `browser/${id}`;
/** The key of the subscription that a receiver is. */
export const subscriptionKey = (receiver: string) => receiver.replace(pushReceiver(""), SUBSCRIPTION_PREFIX);
/** Of the ConfigMap: a test message is sent whenever it becomes another. */
export const TEST_ANNOTATION = "skerry.dev/test-alert";
/** Where the status lies in its ConfigMap. */
export const STATUS_KEY = "status.json";

const MINUTE_MS = 60_000;

/** `forMs`: how long it must last before it is an alert. */
export type RuleSettings = { enabled: boolean; forMs: number };

/** The rules, what they are about, and their settings where nothing else is said. */
export const ALERT_RULES: Readonly<Record<ProblemRule, { about: string; forMs: number }>> = {
  "node-offline": { about: "a node is not ready, or nothing is heard of it", forMs: 5 * MINUTE_MS },
  "disk-filling": { about: "a node's disk is nearly full", forMs: MINUTE_MS },
  "node-pressure": { about: "a node is short of memory or processes", forMs: 5 * MINUTE_MS },
  "crash-loop": { about: "a container ends soon after each start, and has been restarted three times", forMs: 0 },
  "image-pull": { about: "an image cannot be pulled", forMs: 5 * MINUTE_MS },
  "container-error": { about: "a container cannot be made", forMs: 5 * MINUTE_MS },
  "not-ready": { about: "a container that was restarted often is not ready", forMs: 15 * MINUTE_MS },
  "pod-unschedulable": { about: "no node takes a pod", forMs: 5 * MINUTE_MS },
  "pod-failed": { about: "a pod that nothing makes anew failed", forMs: MINUTE_MS },
  "rollout-stuck": { about: "a rollout passed its progress deadline", forMs: 0 },
  "pods-refused": { about: "a workload's pods are refused", forMs: 5 * MINUTE_MS },
  "volume-lost": { about: "a claim has lost its volume", forMs: 0 },
  "job-failed": { about: "a Job, or a CronJob's last one, failed", forMs: 0 },
  "certificate-ends": { about: "a certificate of an Ingress or Gateway ends within 14 days", forMs: 0 },
};

/** A rule's name, and what a test message stands under. */
export type AlertRule = ProblemRule | "test";

/** Times are ms. */
export type Alert = {
  rule: AlertRule;
  severity: "error" | "warning";
  kind: string;
  namespace?: string;
  name: string;
  cause: string;
  remedy: string;
  /** Since when the trouble is there, as far as it is known, and since when it is an alert. */
  since: number;
  firedAt: number;
  /** When somebody was last told; absent where nobody was yet. */
  toldAt?: number;
  /** It is over, which is yet to be told. */
  resolvedAt?: number;
  silenced?: true;
};

/** What is told, kept once however many are yet to hear it. */
export type AlertMessage = {
  at: number;
  firing: readonly Told[];
  resolved: readonly Told[];
  /** It was told before, and is still so. */
  repeated?: true;
  /** Somebody has heard it. */
  heard?: true;
};

/** That one receiver is to be told a message, until it was. */
export type Waiting = {
  /** The message's, the same in every attempt. */
  id: string;
  receiver: string;
  /** When it is tried, or tried again. */
  due: number;
  attempts: number;
  /** The receiver is told of errors alone. */
  errorsOnly?: true;
};

/** It and what there is to tell. */
export type Delivery = Waiting & Omit<AlertMessage, "heard">;

export type Told = Pick<Alert, "rule" | "severity" | "kind" | "namespace" | "name" | "cause" | "remedy"> & {
  since: number;
};

/** Whose browser it is, and what for one, as they said when they subscribed it. */
export type BrowserFacts = { user?: string; device?: string };

export type ReceiverStatus = BrowserFacts & {
  name: string;
  type: string;
  sentAt?: number;
  error?: string;
  failedAt?: number;
};

export type AlertStatus = {
  alerts: readonly Alert[];
  /** How many more there are than are kept; of very many, that there are at least so many. */
  more: number;
  /** When a message about a rule was last made. */
  groups: Readonly<Record<string, number>>;
  /** By id. */
  messages: Readonly<Record<string, AlertMessage>>;
  deliveries: readonly Waiting[];
  receivers: readonly ReceiverStatus[];
  /** The test that was last made: the annotation's value. */
  tested?: string;
};

export const NO_ALERTS: AlertStatus = {
  alerts: [],
  more: 0,
  groups: {},
  messages: {},
  deliveries: [],
  receivers: [],
};

/** Of the ConfigMap's data. What cannot be read is as if there were none. */
export function readAlertStatus(data: Readonly<Record<string, string>> | undefined): AlertStatus {
  try {
    const read = JSON.parse(data?.[STATUS_KEY] ?? "{}") as Partial<AlertStatus>;
    const status = { ...NO_ALERTS, ...read };
    return { ...status, deliveries: status.deliveries.filter(({ id }) => status.messages[id] !== undefined) };
  } catch {
    return NO_ALERTS;
  }
}

/** Known by it from one look to the next. */
export const alertId = ({ rule, kind, namespace = "", name }: Pick<Alert, "rule" | "kind" | "namespace" | "name">) =>
  `${rule}/${kind}/${namespace}/${name}`;

/** `Node node-a`, `Deployment default/web`. */
export const subjectOf = ({ kind, namespace, name }: Pick<Alert, "kind" | "namespace" | "name">) =>
  `${kind} ${namespace ? `${namespace}/` : ""}${name}`;
