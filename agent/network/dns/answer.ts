import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import type { Records } from "./records.ts";
import { type NamedRecord, resolve } from "./resolve.ts";
import type { Transport, Upstream } from "./upstream.ts";

/** Seconds. */
const TTL = 5;
/** A UDP answer's size without EDNS (RFC 1035), and the most we send with it (no fragments on any common network). */
const PLAIN_UDP_BYTES = 512;
const MAX_UDP_BYTES = 1232;
const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4 };

export type AnswerContext = { records: Records; upstream: Upstream; random: () => number };

/** The answer to one message; undefined for what deserves none (not a question, or no header). */
export async function answer(query: Buffer, transport: Transport, context: AnswerContext): Promise<Buffer | undefined> {
  if (query.length < 12 || query.readUInt16BE(2) & 0x8000) return undefined;
  let packet: Packet;
  try {
    packet = decode(query);
  } catch {
    return failure(query, RCODE.formatError);
  }
  const question = packet.questions?.[0];
  if (((query.readUInt16BE(2) >> 11) & 0xf) !== 0) return failure(query, RCODE.notImplemented);
  if (!question || packet.questions?.length !== 1) return failure(query, RCODE.formatError);

  const found = resolve(question, context.records);
  if (found.kind === "elsewhere")
    return (await context.upstream.ask(query, transport)) ?? failure(query, RCODE.serverFailure);
  if (found.kind === "none")
    return reply(packet, question, transport, {
      rcode: found.exists ? RCODE.ok : RCODE.noSuchName,
      authorities: [startOfAuthority(context.records.domain)],
    });
  const answers = shuffled(found.answers, context.random).map(toAnswer);
  if (found.alias) {
    const beyond = await askAlias(found.alias, question, transport, context);
    if (!beyond) return failure(query, RCODE.serverFailure);
    answers.push(...beyond);
  }
  return reply(packet, question, transport, { rcode: RCODE.ok, answers, additionals: found.additional.map(toAnswer) });
}

async function askAlias(
  name: string,
  question: Question,
  transport: Transport,
  { upstream }: AnswerContext,
): Promise<Answer[] | undefined> {
  const query = encode({ type: "query", id: 0, flags: RECURSION_DESIRED, questions: [{ ...question, name }] });
  const answer = await upstream.ask(query, transport);
  try {
    return answer && decode(answer).answers;
  } catch {
    return undefined;
  }
}

type Reply = { rcode: number; answers?: Answer[]; authorities?: Answer[]; additionals?: Answer[] };

function reply(query: Packet, question: Question, transport: Transport, parts: Reply): Buffer {
  const edns = query.additionals?.find((record) => record.type === "OPT");
  const asked = edns?.type === "OPT" ? edns.udpPayloadSize : PLAIN_UDP_BYTES;
  const limit = transport === "tcp" ? 65_535 : Math.min(MAX_UDP_BYTES, Math.max(PLAIN_UDP_BYTES, asked));
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | ((query.flags ?? 0) & RECURSION_DESIRED) | parts.rcode;
  const options: Answer[] = edns ? [OPTIONS] : [];
  const base: Packet = { type: "response", id: query.id, flags, questions: [question], additionals: options };
  const whole = encode({ ...base, ...parts, additionals: [...(parts.additionals ?? []), ...options] });
  if (whole.length <= limit) return whole;
  const bare = encode({ ...base, answers: parts.answers });
  if (bare.length <= limit) return bare;
  return encode({ ...base, flags: flags | TRUNCATED_RESPONSE });
}

const OPTIONS: Answer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: MAX_UDP_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
} as Answer;

/** An answer made of the question's own bytes, for what we did not parse or could not find out. */
function failure(query: Buffer, rcode: number): Buffer {
  const flags = 0x8000 | (query.readUInt16BE(2) & 0x7900) | RECURSION_AVAILABLE | rcode;
  const withQuestion = rcode === RCODE.serverFailure;
  const answer = Buffer.from(withQuestion ? query : query.subarray(0, 12));
  answer.writeUInt16BE(flags, 2);
  if (!withQuestion) answer.fill(0, 4, 12);
  return answer;
}

function startOfAuthority(domain: string): Answer {
  return {
    type: "SOA",
    name: domain,
    ttl: TTL,
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL,
    },
  };
}

const toAnswer = (record: NamedRecord): Answer => ({ ...record, ttl: TTL, class: "IN" }) as Answer;

/** Clients take the first address: a new order each time spreads them. An alias stays before what it leads to. */
function shuffled(records: readonly NamedRecord[], random: () => number): NamedRecord[] {
  const rest = records.filter(({ type }) => type !== "CNAME");
  for (let i = rest.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [rest[i], rest[j]] = [rest[j] as NamedRecord, rest[i] as NamedRecord];
  }
  return [...records.filter(({ type }) => type === "CNAME"), ...rest];
}
