/**
 * Which Ingresses are served here, and where: by the nodes on their local network (`lan`), by the Worker (`edge`), or both.
 * https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
 */
import type { NetworkingV1Ingress, NetworkingV1IngressClass } from "../generated/types.ts";

/** The controller that an IngressClass of ours names. */
export const CONTROLLER = "skerry.dev/ingress";
/** The class that every cluster has from the start. */
export const CLASS_NAME = "skerry";
export const DEFAULT_CLASS_ANNOTATION = "ingressclass.kubernetes.io/is-default-class";
const OLD_CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** `lan` or `edge` where it is served in one place alone; of an Ingress, or of a class for all of its Ingresses. */
export const SCOPE_ANNOTATION = "ingress.skerry.dev/scope";
/** `"true"`: what comes without TLS for a host that has a certificate is sent on to HTTPS. */
export const REDIRECT_ANNOTATION = "ingress.skerry.dev/ssl-redirect";
/** Seconds in which a program has to begin its answer; 0 for no limit. */
export const TIMEOUT_ANNOTATION = "ingress.skerry.dev/response-timeout";
/** Of a class: addresses and ranges, by commas, of proxies whose word on the client's address is taken. */
export const TRUSTED_ANNOTATION = "ingress.skerry.dev/trusted-proxies";

/** The node's word on where it listens, among its conditions. */
export const NODE_CONDITION = "IngressListening";

export type Scope = "lan" | "edge";
type Ingress = Readonly<NetworkingV1Ingress>;
type IngressClass = Readonly<NetworkingV1IngressClass>;

/** Of classes those that are ours, by name. */
export const ownClasses = (classes: Iterable<IngressClass>): ReadonlyMap<string, IngressClass> =>
  new Map(
    [...classes].flatMap((found) =>
      found.spec?.controller === CONTROLLER ? [[found.metadata?.name ?? "", found] as const] : [],
    ),
  );

/** The class of ours that an Ingress names; undefined for one that is another controller's, or nobody's. */
export function classOf({ metadata, spec }: Ingress, own: ReadonlyMap<string, IngressClass>): IngressClass | undefined {
  const name = spec?.ingressClassName ?? metadata?.annotations?.[OLD_CLASS_ANNOTATION];
  return name === undefined ? undefined : own.get(name);
}

/** Whether one of ours is served there. */
export function isServed(ingress: Ingress, own: ReadonlyMap<string, IngressClass>, scope: Scope): boolean {
  const found = classOf(ingress, own);
  if (!found || ingress.metadata?.deletionTimestamp) return false;
  const said = [ingress, found].map(({ metadata }) => metadata?.annotations?.[SCOPE_ANNOTATION]);
  return said.every((word) => (word !== "lan" && word !== "edge") || word === scope);
}

/** The Secrets with certificates for the local network that an Ingress names, all in its namespace. */
export const secretsOf = ({ spec }: Ingress): string[] => [
  ...new Set((spec?.tls ?? []).flatMap(({ secretName }) => secretName || [])),
];
