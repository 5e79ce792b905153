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
  const bytes = Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
  const problem = jsonObjectProblem(new TextDecoder().decode(bytes));
  if (problem) yield invalidValue(`data[${key}]`, "<secret contents redacted>", problem);
}
