/**
 * Tickets for blobs: the registry's word that whoever asked may have one, by which nodes get it from other nodes. They are
 * signed with the key of the cluster's CA, which all nodes know. What it signs else is DER and begins otherwise.
 */
import { type CertificateAndKey, isTextSignedBy, signText } from "./certificates.ts";

/** Of a request for a blob: a ticket is wanted, too. Of its answer, and of a request to another node: the ticket. */
export const TICKET_HEADER = "skerry-blob-ticket";
/** For a peer that is busy, and for clocks that differ. */
const VALID_MS = 120_000;
/** Of who looks at a ticket, behind who signed it: else one whose clock stands at 1970 would take each for ever. */
const MOST_BEHIND_MS = 60_000;

const textOf = (digest: string, until: string) => `skerry blob ticket\n${digest}\n${until}\n`;

/** `now` in ms. */
export async function signTicket(authority: CertificateAndKey, digest: string, now: number): Promise<string> {
  const until = `${now + VALID_MS}`;
  return `${until}.${await signText(authority, textOf(digest, until))}`;
}

/** Whether the CA (PEM) has given this ticket for the blob, and it is still good. */
export async function isTicketFor(digest: string, ticket: string, { ca, now }: { ca: string; now: number }) {
  const [, until = "", signature = ""] = /^(\d{1,15})\.([\w-]{86})$/.exec(ticket) ?? [];
  const leftMs = Number(until) - now;
  if (ca === "" || until === "" || leftMs <= 0 || leftMs > VALID_MS + MOST_BEHIND_MS) return false;
  return isTextSignedBy(ca, textOf(digest, until), signature);
}
