/**
 * What two agents say to each other by a Relay: binary messages are WireGuard's packets, each behind its length in two
 * bytes; text is where an agent may be reached.
 */
import { type Endpoint, parseEndpoint } from "./stun.ts";

const LENGTH_BYTES = 2;
/** UDP carries no more. */
export const MAX_PACKET_BYTES = 65_507;
const MAX_ENDPOINTS = 16;

export function packetsTo(packets: readonly Buffer[]): Buffer {
  const parts = packets.flatMap((packet) => {
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt16BE(packet.length, 0);
    return [length, packet];
  });
  return Buffer.concat(parts);
}

/** What is cut off at the end is left out. */
export function* packetsOf(message: Buffer): Iterable<Buffer> {
  for (let at = 0; at + LENGTH_BYTES <= message.length; ) {
    const end = at + LENGTH_BYTES + message.readUInt16BE(at);
    if (end > message.length) return;
    yield message.subarray(at + LENGTH_BYTES, end);
    at = end;
  }
}

export const offerText = (endpoints: readonly Endpoint[]): string =>
  JSON.stringify({ type: "offer", endpoints: endpoints.slice(0, MAX_ENDPOINTS) });

/** The endpoints of an offer; undefined for what is none. */
export function readOffer(text: string): Endpoint[] | undefined {
  try {
    const { type, endpoints } = JSON.parse(text) as { type?: unknown; endpoints?: unknown };
    if (type !== "offer" || !Array.isArray(endpoints)) return undefined;
    const valid = endpoints.filter((endpoint): endpoint is Endpoint => typeof endpoint === "string" && mayBe(endpoint));
    return valid.slice(0, MAX_ENDPOINTS);
  } catch {
    return undefined;
  }
}

/** An address that another machine can have. */
function mayBe(endpoint: Endpoint): boolean {
  const { address = "0" } = parseEndpoint(endpoint) ?? {};
  const first = Number(address.split(".")[0]);
  return first > 0 && first < 224 && first !== 127;
}
