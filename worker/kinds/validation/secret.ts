import { fromBase64 } from "../../lib/bytes.ts";
import { jsonObjectProblem } from "../../lib/json.ts";
import { configKeyProblems } from "../../lib/names.ts";
import { invalidValue, required, tooLong } from "../../lib/status.ts";
import type { CoreV1Secret } from "../generated/types.ts";
import { decodedLength, MAX_CONFIG_BYTES } from "./config.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";

/** https://kubernetes.io/docs/concepts/configuration/secret/#secret-types */
const rules: Readonly<Record<string, (secret: CoreV1Secret) => Problems>> = {
  *"kubernetes.io/service-account-token"({ metadata }) {
    if (!metadata?.annotations?.[ACCOUNT_NAME]) yield required(`metadata.annotations[${ACCOUNT_NAME}]`);
  },
  "kubernetes.io/dockercfg": (secret) => json(secret, ".dockercfg"),
  "kubernetes.io/dockerconfigjson": (secret) => json(secret, ".dockerconfigjson"),
  *"kubernetes.io/basic-auth"({ data = {} }) {
    if (data.username === undefined && data.password === undefined) {
      yield required("data[username]");
      yield required("data[password]");
    }
  },
  *"kubernetes.io/ssh-auth"({ data = {} }) {
    if (!data["ssh-privatekey"]) yield required("data[ssh-privatekey]");
  },
  *"kubernetes.io/tls"({ data = {} }) {
    for (const key of ["tls.crt", "tls.key"]) if (data[key] === undefined) yield required(`data[${key}]`);
  },
};
const ACCOUNT_NAME = "kubernetes.io/service-account.name";

export function* validateSecret(secret: CoreV1Secret): Problems {
  let bytes = 0;
  for (const [key, value] of entries(secret.data)) {
    yield* invalidFor(`data[${key}]`, key, configKeyProblems(key));
    bytes += decodedLength(value);
  }
  if (bytes > MAX_CONFIG_BYTES) yield tooLong("data", MAX_CONFIG_BYTES);
  const { type = "" } = secret;
  if (Object.hasOwn(rules, type)) yield* rules[type]?.(secret) ?? [];
}

function* json({ data = {} }: CoreV1Secret, key: string): Problems {
  const value = data[key];
  if (value === undefined) {
    yield required(`data[${key}]`);
    return;
  }
  const bytes = fromBase64(value);
  const problem = jsonObjectProblem(new TextDecoder().decode(bytes));
  if (problem) yield invalidValue(`data[${key}]`, "<secret contents redacted>", problem);
}

const text = (base64: string | undefined) => (base64 ? atob(base64) : "");
const blocks = (pem: string) =>
  [...pem.matchAll(/-----BEGIN ([^-\n]+)-----\n[\s\S]*?\n-----END \1-----/g)].map(([, type = ""]) => type);

/** Certificates and keys that no server could use. That they belong together is not looked at. */
export function* secretWarnings({ type, data = {} }: CoreV1Secret): Iterable<string> {
  if (type !== "kubernetes.io/tls") return;
  const certificates = blocks(text(data["tls.crt"]));
  const keys = blocks(text(data["tls.key"]));
  if (!certificates.length) yield "tls: failed to find any PEM data in certificate input";
  else if (!certificates.includes("CERTIFICATE")) {
    const isKey = certificates.length === 1 && certificates[0]?.endsWith("PRIVATE KEY");
    yield isKey
      ? "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"
      : `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${certificates.join(" ")}]`;
  } else if (!keys.length) yield "tls: failed to find any PEM data in key input";
  else if (!keys.some((key) => key.endsWith("PRIVATE KEY")))
    yield keys.length === 1 && keys[0] === "CERTIFICATE"
      ? "tls: found a certificate rather than a key in the PEM for the private key"
      : `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${keys.join(" ")}]`;
}
