/** Certificates that Ingresses and Gateways show, and that nobody has renewed. */
import { Secret } from "../../kinds/core/secret.ts";
import { GATEWAYS, type Gateway } from "../../kinds/gateway/types.ts";
import { Ingress } from "../../kinds/networking/ingress.ts";
import { fromBase64 } from "../../lib/bytes.ts";
import { humanDuration } from "../../lib/duration.ts";
import { decodePem } from "../../lib/pem.ts";
import { readCertificate } from "../../lib/x509-read.ts";
import type { Digest, View } from "../controller.ts";
import type { Trouble } from "./troubles.ts";

/** Who renews them does so earlier: cert-manager a month before. */
const EARLY_MS = 14 * 24 * 3_600_000;

/** When the first certificate of a TLS Secret ends, ms. */
export const CERTIFICATES: Digest<Secret, number | undefined> = {
  isSparse: true,
  kind: Secret,
  of({ type, data }) {
    if (type !== "kubernetes.io/tls") return undefined;
    try {
      const [first] = decodePem(new TextDecoder().decode(fromBase64(data?.["tls.crt"] ?? "")));
      return first && readCertificate(first.bytes).notAfter;
    } catch {
      return undefined; // what is no certificate is its user's to tell
    }
  },
};

/** The Secrets that an Ingress shows certificates of. */
export const SHOWN: Digest<Ingress, readonly string[]> = {
  kind: Ingress,
  of: ({ spec }) => (spec?.tls ?? []).flatMap(({ secretName }) => secretName || []),
};

export function* certificateTroubles(view: View): Iterable<Trouble> {
  const ends = view.digest(CERTIFICATES);
  if (![...ends.values()].some((end) => end !== undefined)) return;
  for (const key of new Set(shownIn(view))) {
    const end = ends.get(key);
    if (end === undefined || Number.isNaN(end)) continue;
    const [namespace = "", name = ""] = key.split("/");
    yield {
      rule: "certificate-ends",
      kind: "Secret",
      namespace,
      name,
      since: end - EARLY_MS,
      describe: (_view, _trouble, now) => ({
        severity: "error",
        cause: `Its certificate ${end > now ? `ends in ${humanDuration(end - now)}` : `ended ${humanDuration(now - end)} ago`}.`,
        remedy: "Renew it; what was to renew it, cert-manager for one, tells in its log why it did not.",
      }),
    };
  }
}

/** Keys of the Secrets that a Gateway shows certificates of. */
export const shownByGateway = (gateway: Readonly<Gateway>): string[] =>
  (gateway.spec?.listeners ?? []).flatMap(({ tls }) =>
    (tls?.certificateRefs ?? []).map(({ namespace, name }) => `${namespace ?? gateway.metadata?.namespace}/${name}`),
  );

function* shownIn(view: View): Iterable<string> {
  for (const [key, names] of view.digest(SHOWN)) for (const name of names) yield `${key.split("/")[0]}/${name}`;
  const kind = view.kinds().find(({ groupResource }) => groupResource === GATEWAYS);
  for (const gateway of kind ? (view.list(kind) as readonly Gateway[]) : []) yield* shownByGateway(gateway);
}
