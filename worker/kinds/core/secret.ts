import { toBase64 } from "../../lib/bytes.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateFrozen } from "../validation/config.ts";
import { secretWarnings, validateSecret } from "../validation/secret.ts";

const encoder = new TextEncoder();

/** https://kubernetes.io/docs/concepts/configuration/secret/ */
export type Secret = Schemas["io.k8s.api.core.v1.Secret"];
export const Secret = defineKind({
  schema: "io.k8s.api.core.v1.Secret",
  immutable: ["type"],
  default(secret) {
    secret.type ||= "Opaque";
    for (const [key, text] of Object.entries(secret.stringData ?? {})) {
      secret.data ??= {};
      secret.data[key] = toBase64(encoder.encode(text));
    }
    delete secret.stringData;
  },
  changesFirst: true,
  validate: validateSecret,
  warnings: secretWarnings,
  validateUpdate: (secret, old) => validateFrozen(secret, old, ["data"]),
  columns: [
    nameColumn,
    { name: "Type", type: "string", value: ({ type }) => type ?? "" },
    { name: "Data", type: "string", value: ({ data }) => Object.keys(data ?? {}).length },
    ageColumn,
  ],
});
