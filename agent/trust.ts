/**
 * Trust in a server by the cluster's own CA, whatever this machine's clock says. A small machine without a battery wakes
 * up in 1970, when no certificate was valid yet, and learns the time from the very server that it has to trust first. So
 * of a certificate that the pinned CA signed for that name, only the dates are not held against it.
 */
import { X509Certificate } from "node:crypto";
import { Agent, type AgentOptions } from "node:https";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";

/** The server's certificate, those that it sent along, and one that is trusted. */
const MOST_CERTIFICATES = 5;

type Made = (error: Error | null, socket: Duplex) => void;

class PinnedAgent extends Agent {
  readonly #authority: X509Certificate;

  constructor(ca: string, options: AgentOptions) {
    // A resumed session shows no certificate.
    super({ ...options, ca, maxCachedSessions: 0 });
    this.#authority = new X509Certificate(ca);
  }

  override createConnection(options: ConnectionOptions, made?: Made): Socket {
    const host = options.servername || options.host || "localhost";
    const servername = isIP(host) ? "" : host;
    const socket = connect({ ...options, servername, session: undefined, rejectUnauthorized: false });
    const failed = (error: Error) => made?.(error, socket);
    socket.once("error", failed);
    socket.once("secureConnect", () => {
      const problem = socket.authorized ? undefined : distrust(socket, this.#authority, host);
      if (problem) return socket.destroy(new Error(problem));
      socket.removeListener("error", failed);
      made?.(null, socket);
    });
    // Whoever asked has it once it can be trusted, and not before.
    return undefined as unknown as Socket;
  }
}

/** An agent for HTTPS that trusts the one CA (PEM), or with none whom the system trusts, by all the rules. */
export const agentTrusting = (ca: string | undefined, options: AgentOptions = {}): Agent =>
  ca ? new PinnedAgent(ca, options) : new Agent(options);

/** Why the server is not who it should be; undefined if nothing but the dates of its certificates speaks against it. */
function distrust(socket: TLSSocket, authority: X509Certificate, host: string): string | undefined {
  let certificate = socket.getPeerX509Certificate();
  if (!certificate) return `${host} shows no certificate`;
  const named = isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host);
  if (!named) return `the certificate is not for ${host}`;
  for (let n = 0; n < MOST_CERTIFICATES && certificate; n++) {
    if (isSignedBy(certificate, authority)) return undefined;
    const issuer: X509Certificate | undefined = certificate.issuerCertificate;
    if (!issuer?.ca || !isSignedBy(certificate, issuer)) break;
    certificate = issuer;
  }
  return `the certificate of ${host} is not signed by the cluster's CA (${socket.authorizationError})`;
}

const isSignedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
