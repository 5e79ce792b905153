import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateConfigMap, validateFrozen } from "../validation/config.ts";

/** https://kubernetes.io/docs/concepts/configuration/configmap/ */
export type ConfigMap = Schemas["io.k8s.api.core.v1.ConfigMap"];
export const ConfigMap = defineKind({
  schema: "io.k8s.api.core.v1.ConfigMap",
  changesFirst: true,
  validate: validateConfigMap,
  validateUpdate: (map, old) => validateFrozen(map, old, ["data", "binaryData"]),
  columns: [
    nameColumn,
    {
      name: "Data",
      type: "string",
      value: (map) => Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length,
    },
    ageColumn,
  ],
});
