import { Secret } from "../../kinds/core/secret.ts";
import { Service } from "../../kinds/core/service.ts";
import type { NetworkingV1IngressBackend } from "../../kinds/generated/types.ts";
import { isProblem, portOf } from "../../kinds/ingress/backends.ts";
import { classOf, ownClasses, secretsOf } from "../../kinds/ingress/class.ts";
import { Ingress } from "../../kinds/networking/ingress.ts";
import { IngressClass } from "../../kinds/networking/ingress-class.ts";
import { same } from "../../kinds/paths.ts";
import { decodePem } from "../../lib/pem.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { warning } from "../events.ts";
import { keyOf, splitKey, watch } from "../keys.ts";

const TLS = "kubernetes.io/tls";

type Said = Readonly<Ingress>;

const backendsIn = ({ spec }: Said): NetworkingV1IngressBackend[] => [
  ...(spec?.defaultBackend ? [spec.defaultBackend] : []),
  ...(spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend)),
];

/** Ingresses of a namespace that speak of something there. */
function* speakingOf(view: View, namespace: string, speaks: (ingress: Said) => boolean): Iterable<string> {
  for (const ingress of view.list(Ingress, namespace)) if (speaks(ingress)) yield keyOf(ingress);
}

/**
 * Tells by events what in an Ingress of ours cannot be served: when that is written, and when what it speaks of changes.
 */
export const ingressController: Controller = {
  name: "ingress-controller",
  watches: [
    watch(Ingress, function* (ingress, old, _, type) {
      const isNew = type === "ADDED" || !old;
      if (isNew || !same(ingress.spec, old.spec) || !same(ingress.metadata.annotations, old.metadata.annotations))
        yield keyOf(ingress);
    }),
    watch(IngressClass, function* (_, __, view) {
      for (const ingress of view.list(Ingress)) yield keyOf(ingress);
    }),
    watch(Service, function* ({ metadata, spec }, old, view, type) {
      if (type === "MODIFIED" && same([spec.type, spec.ports], [old?.spec.type, old?.spec.ports])) return;
      const leadsTo = (ingress: Said) => backendsIn(ingress).some(({ service }) => service?.name === metadata.name);
      yield* speakingOf(view, metadata.namespace ?? "", leadsTo);
    }),
    watch(Secret, function* ({ metadata, data }, old, view, type) {
      if (type === "MODIFIED" && same(data, old?.data)) return;
      const names = (ingress: Said) => secretsOf(ingress).includes(metadata.name ?? "");
      yield* speakingOf(view, metadata.namespace ?? "", names);
    }),
  ],
  reconcile(view, key): Intent[] {
    const ingress = view.get(Ingress, ...splitKey(key));
    if (!ingress || ingress.metadata.deletionTimestamp) return [];
    if (!classOf(ingress, ownClasses(view.list(IngressClass)))) return [];
    const problems = new Map([...problemsOf(view, ingress)].map((problem) => [problem.message, problem]));
    return [...problems.values()].map(({ reason, message }) => warning(ingress, reason, message));
  },
};

type Problem = { reason: string; message: string };

function* problemsOf(view: View, ingress: Said): Iterable<Problem> {
  const namespace = ingress.metadata.namespace ?? "";
  for (const { service, resource } of backendsIn(ingress)) {
    if (resource)
      yield {
        reason: "ResourceBackendNotSupported",
        message: `${resource.kind} "${resource.name}": only Services can be backends`,
      };
    const port = service?.port?.number ?? service?.port?.name;
    if (!service || port === undefined) continue;
    const target = { namespace, service: service.name, port };
    const found = portOf(target, view.get(Service, namespace, service.name));
    if (isProblem(found)) yield found;
  }
  for (const name of secretsOf(ingress)) yield* secretProblems(view, namespace, name);
}

function* secretProblems(view: View, namespace: string, name: string): Iterable<Problem> {
  const secret = view.get(Secret, namespace, name);
  const what = `secret "${namespace}/${name}"`;
  if (!secret) return yield { reason: "SecretNotFound", message: `${what} does not exist` };
  if (secret.type !== TLS)
    return yield { reason: "InvalidCertificate", message: `${what} is of type ${secret.type}, not ${TLS}` };
  for (const [field, label] of [
    ["tls.crt", "CERTIFICATE"],
    ["tls.key", "KEY"],
  ] as const)
    if (!hasBlock(secret.data?.[field], label))
      yield { reason: "InvalidCertificate", message: `${what} has no ${label.toLowerCase()} in PEM in ${field}` };
}

/** Whether a Secret's field has such a block. */
export function hasBlock(base64: string | undefined, label: string): boolean {
  try {
    return decodePem(atob(base64 ?? "")).some((block) => block.type.endsWith(label));
  } catch {
    return false;
  }
}
