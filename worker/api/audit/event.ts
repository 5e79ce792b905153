/**
 * What the audit log says of a request: an audit.k8s.io/v1 Event at level Metadata, never a body.
 * https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
 */
import { microTimestamp } from "../../lib/effects.ts";
import type { Status } from "../../lib/status.ts";
import { pathAndQuery } from "../../lib/url.ts";
import type { RequestInfo } from "../http/request-info.ts";
import type { User } from "../request.ts";

/** As kube-apiserver cuts them. */
const MAX_USER_AGENT = 1024;
const CUT = "...TRUNCATED";
/** What a client may make as long as it likes is cut as well, so that its event stays small. */
const MAX_URI = 2048;
const MAX_TEXT = 2048;
const MAX_ADDRESSES = 8;

/** What is noted of a request on its way through admission. */
export type AuditNotes = {
  /** For the event's annotations: keys as `pod-security.kubernetes.io/enforce-policy`, short values. */
  annotations: Record<string, string>;
  /** The metadata of what is made, whose name the path does not say. */
  made?: { namespace?: string; name?: string; uid?: string };
};

type UserInfo = { username?: string; uid?: string; groups?: readonly string[]; extra?: Record<string, string[]> };
type EventStatus = Partial<Omit<Status, "metadata">> & { metadata: Record<string, never> };

/** Without kind and apiVersion, which all have in common. */
export type AuditEvent = {
  level: "Metadata";
  auditID: string;
  stage: "ResponseStarted" | "ResponseComplete";
  requestURI: string;
  verb: string;
  user: UserInfo;
  impersonatedUser?: UserInfo;
  sourceIPs?: string[];
  userAgent?: string;
  objectRef?: {
    resource: string;
    namespace?: string;
    name?: string;
    uid?: string;
    apiGroup?: string;
    apiVersion: string;
    subresource?: string;
  };
  responseStatus?: EventStatus;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  annotations?: Record<string, string>;
};

/** A request that was answered. */
export type Answered = {
  request: Request;
  info: RequestInfo;
  /** Who sent it; absent where that is not known. */
  sender: User | undefined;
  /** Whom it acts as, when that is another. */
  actor: User | undefined;
  /** ms. */
  received: number;
  now: number;
  auditId: string;
  /** Absent where another server is to answer. */
  code: number | undefined;
  /** The Status that was answered, if it was one. */
  status?: Status;
  stage?: AuditEvent["stage"];
  notes: AuditNotes;
};

/** Users may be in thousands of groups; an event that becomes longer goes without what there can be any number of. */
const MAX_LINE = 32 * 1024;
const MAX_GROUPS = 20;

const cut = (text: string, length = MAX_TEXT) => (text.length > length ? text.slice(0, length) + CUT : text);

const userInfo = ({ name, uid, groups, extra }: User): UserInfo => ({
  username: name,
  uid: uid || undefined,
  groups,
  extra: extra && Object.keys(extra).length > 0 ? extra : undefined,
});

export function eventOf(answered: Answered): AuditEvent {
  const { request, info, sender, actor, received, now, auditId, code, status, stage, notes } = answered;
  const { pathname, search } = pathAndQuery(request.url);
  const userAgent = request.headers.get("user-agent");
  const sourceIPs = sourceAddresses(request);
  return {
    level: "Metadata",
    auditID: auditId,
    stage: stage ?? "ResponseComplete",
    requestURI: cut(pathname + search, MAX_URI),
    verb: info.verb,
    user: sender ? userInfo(sender) : {},
    impersonatedUser: actor && userInfo(actor),
    sourceIPs: sourceIPs.length > 0 ? sourceIPs : undefined,
    userAgent: userAgent ? cut(userAgent, MAX_USER_AGENT) : undefined,
    objectRef: info.type === "resource" ? objectRef(info, notes, code) : undefined,
    responseStatus: code === undefined ? undefined : responseStatus(code, status),
    requestReceivedTimestamp: microTimestamp(received),
    stageTimestamp: microTimestamp(now),
    annotations: shortTexts(notes.annotations),
  };
}

function shortTexts(annotations: Record<string, string>): Record<string, string> | undefined {
  let some: Record<string, string> | undefined;
  for (const key of Object.keys(annotations)) {
    some ??= {};
    some[key] = cut(annotations[key] ?? "");
  }
  return some;
}

/** An event as a line of the log. */
export function lineOf(event: AuditEvent): string {
  const line = JSON.stringify(event);
  if (line.length <= MAX_LINE) return `${line}\n`;
  const { user, impersonatedUser, annotations = {}, ...rest } = event;
  const few = { ...annotations, "skerry.dev/truncated": "true" };
  const kept = Object.entries(few).filter(([key]) => /^(authorization\.k8s\.io|skerry\.dev)\//.test(key));
  const shorter = {
    ...rest,
    user: shortened(user),
    ...(impersonatedUser && { impersonatedUser: shortened(impersonatedUser) }),
    annotations: Object.fromEntries(kept),
  };
  return `${JSON.stringify(shorter)}\n`;
}

const shortened = ({ username = "", uid = "", groups = [] }: UserInfo): UserInfo => ({
  username: cut(username),
  uid: cut(uid),
  groups: groups.slice(0, MAX_GROUPS).map((group) => cut(group, MAX_USER_AGENT)),
});

function objectRef(
  { resource, namespace, name, group, version, subresource }: Extract<RequestInfo, { type: "resource" }>,
  { made }: AuditNotes,
  code: number | undefined,
): AuditEvent["objectRef"] {
  const isMade = code === undefined || code < 300;
  return {
    resource,
    namespace: namespace || made?.namespace || undefined,
    name: name || made?.name || undefined,
    uid: (isMade && made?.uid) || undefined,
    apiGroup: group || undefined,
    apiVersion: version,
    subresource: subresource || undefined,
  };
}

function responseStatus(code: number, status: Status | undefined): EventStatus {
  if (!status) return { metadata: {}, code };
  const { message, reason, details } = status;
  // The causes of a refusal may quote what was sent.
  const { causes: _, ...rest } = details ?? {};
  return {
    metadata: {},
    status: status.status,
    ...(message && { message: cut(message) }),
    ...(reason && { reason }),
    ...(Object.keys(rest).length > 0 && { details: rest }),
    code,
  };
}

/**
 * Who sent it and who passed it on, as the headers say, and last the address that the platform saw, which alone cannot be
 * made up: on Cloudflare in a header of its own, elsewhere in workerd's `cf`.
 */
function sourceAddresses(request: Request): string[] {
  const { cf } = request as Request & { cf?: { clientIp?: unknown } };
  const peer = typeof cf?.clientIp === "string" ? cf.clientIp : (request.headers.get("cf-connecting-ip") ?? "");
  const through = request.headers.get("x-forwarded-for");
  const forwarded = through ? through.split(",").slice(0, MAX_ADDRESSES) : [];
  const addresses = [...forwarded, peer].map(plainAddress).filter((address) => address !== "");
  return addresses.filter((address, at) => address !== addresses[at - 1]);
}

/** `[::ffff:192.0.2.1]:34712` and `192.0.2.1:34712` are the address alone; what is none is left out. */
function plainAddress(text: string): string {
  const [, bracketed, v4, bare] =
    /^\s*(?:\[([0-9a-fA-F:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([0-9a-fA-F:.]+))\s*$/.exec(text) ?? [];
  return (bracketed ?? v4 ?? bare ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}
