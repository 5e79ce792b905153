import { isIPv4, isIPv6 } from "node:net";
import type { DnsRecord, Records } from "./records.ts";

export type NamedRecord = DnsRecord & { name: string };

export type Resolution =
  /** Not the cluster's to answer: the node's resolvers know. */
  | { kind: "elsewhere" }
  | { kind: "none"; exists: boolean }
  | {
      kind: "found";
      answers: NamedRecord[];
      /** Addresses of SRV targets. */
      additional: NamedRecord[];
      /** The last CNAME leads to this name, whose records the node's resolvers know. */
      alias?: string;
    };

/** CNAMEs followed for one question; more are a loop. */
const MAX_ALIASES = 8;

/** What the cluster answers to a question. `name` without a final dot, in any case; the answers repeat its case. */
export function resolve(question: { name: string; type: string }, records: Records): Resolution {
  const name = question.name.toLowerCase();
  if (!isOurs(name, records.domain)) {
    const reverse = /\.(in-addr|ip6)\.arpa$/.test(name) ? records.find(name) : undefined;
    if (!reverse?.length) return { kind: "elsewhere" };
    return pick(question, reverse, records);
  }
  const known = records.find(name) ?? podAddress(name, records.domain);
  return known ? pick(question, known, records) : { kind: "none", exists: false };
}

function isOurs(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

function pick(
  { name, type }: { name: string; type: string },
  known: readonly DnsRecord[],
  records: Records,
  aliases = 0,
): Resolution {
  const exact = known.filter((record) => record.type === type || (type === "ANY" && record.type !== "SRV"));
  if (exact.length) {
    const answers = exact.map((record) => ({ ...record, name }));
    return { kind: "found", answers, additional: targetsOf(exact, records) };
  }
  const alias = known.find((record) => record.type === "CNAME")?.data as string | undefined;
  if (!alias) return { kind: "none", exists: true };
  const answers: NamedRecord[] = [{ type: "CNAME", data: alias, name }];
  if (!isOurs(alias, records.domain)) return { kind: "found", answers, additional: [], alias };
  const next = records.find(alias);
  if (!next || aliases >= MAX_ALIASES) return { kind: "found", answers, additional: [] };
  const rest = pick({ name: alias, type }, next, records, aliases + 1);
  return rest.kind === "found"
    ? { ...rest, answers: [...answers, ...rest.answers] }
    : { kind: "found", answers, additional: [] };
}

function targetsOf(found: readonly DnsRecord[], records: Records): NamedRecord[] {
  const targets = new Set(found.flatMap((record) => (record.type === "SRV" ? [record.data.target] : [])));
  return [...targets].flatMap((name) =>
    (records.find(name) ?? [])
      .filter(({ type }) => type === "A" || type === "AAAA")
      .map((record) => ({ ...record, name })),
  );
}

/** `10-244-0-5.NAMESPACE.pod.DOMAIN` is the address it spells, whether such a pod exists or not. */
function podAddress(name: string, domain: string): DnsRecord[] | undefined {
  if (name === `pod.${domain}`) return [];
  if (!name.endsWith(`.pod.${domain}`)) return name === domain ? [] : undefined;
  const labels = name.slice(0, -`.pod.${domain}`.length).split(".");
  if (labels.length === 1) return [];
  if (labels.length !== 2) return undefined;
  const [first = ""] = labels;
  const [v4, v6] = [first.replaceAll("-", "."), first.replaceAll("-", ":")];
  if (isIPv4(v4)) return [{ type: "A", data: v4 }];
  return isIPv6(v6) ? [{ type: "AAAA", data: v6 }] : undefined;
}
