/**
 * The certificate that a client has shown, for the Cluster object to judge. On Cloudflare it comes where mTLS is set up
 * for the host name; on one's own machine, where `skerry up --client-certificates` puts TLS in front of workerd.
 * https://developers.cloudflare.com/ssl/client-certificates/client-certificate-variables/
 */
type Shown = { certPresented?: string; certRevoked?: string; certRFC9440?: string };

/** As RFC 9440 writes it; undefined where there is none, or one that was revoked. */
export function shownCertificate({ cf }: Request): string | undefined {
  const shown = cf?.tlsClientAuth as Shown | undefined;
  if (shown?.certPresented !== "1" || shown.certRevoked === "1") return undefined;
  return shown.certRFC9440 || undefined;
}
