/** The certificates of a control plane on one's own machine. kubectl sends tokens over HTTPS only. */
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import type { Names } from "../../worker/lib/certificates.ts";
import { files, writeFile } from "./home.ts";

/** Loaded only where a certificate is made: it takes much memory. */
const issuing = () => import("../../worker/lib/certificates.ts");
/** A certificate is made anew when it has less than this left. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** Hosts at which the page shows what pods serve: `worker/edge/forward.ts`. */
const PODS_SHOWN = "*.skerry.localhost";

/** Names and addresses under which this machine is reached. */
function localNames(): Names {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((a) => a.family === "IPv4" && !a.internal)
    .map((a) => a.address);
  return { dns: ["localhost", PODS_SHOWN, hostname()], ip: ["127.0.0.1", "::1", ...addresses.toSorted()] };
}

function isFresh(path: string, names: Names, now: number): boolean {
  if (!existsSync(path)) return false;
  const certificate = new X509Certificate(readFileSync(path));
  if (Date.parse(certificate.validTo) - now < RENEW_BEFORE_MS) return false;
  return names.dns.every((name) => certificate.checkHost(name)) && names.ip.every((ip) => certificate.checkIP(ip));
}

/** Makes what is missing, about to expire, or lacks one of this machine's names. `now` in ms. */
export async function ensureCertificates(home: string, now: number): Promise<void> {
  const paths = files(home);
  if (!existsSync(paths.caCertificate) || !existsSync(paths.caKey)) {
    const made = await (await issuing()).createAuthority("skerry-ca", now);
    writeFile(paths.caKey, made.key);
    writeFile(paths.caCertificate, made.certificate, 0o644);
  }
  const names = localNames();
  if (isFresh(paths.certificate, names, now)) return;
  const authority = { certificate: readFileSync(paths.caCertificate, "utf8"), key: readFileSync(paths.caKey, "utf8") };
  const server = await (await issuing()).issueServer(authority, "skerry", names, now);
  writeFile(paths.key, server.key);
  writeFile(paths.certificate, server.certificate, 0o644);
}
