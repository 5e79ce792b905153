import { byteLength } from "../../lib/bytes.ts";
import { qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooLong } from "../../lib/status.ts";
import type { StorageV1StorageClass } from "../generated/types.ts";
import { same } from "../paths.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";

/** https://kubernetes.io/docs/concepts/storage/storage-classes/ */
const BINDING_MODES = ["Immediate", "WaitForFirstConsumer"];

export function* validateStorageClass(storage: StorageV1StorageClass): Problems {
  if (!storage.provisioner) yield required("provisioner");
  else
    yield* invalidFor(
      "provisioner",
      storage.provisioner.toLowerCase(),
      qualifiedNameProblems(storage.provisioner.toLowerCase()),
    );
  yield* validateParameters(storage.parameters);
  const { reclaimPolicy, volumeBindingMode } = storage;
  if (reclaimPolicy && !["Delete", "Retain"].includes(reclaimPolicy))
    yield notSupported("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]);
  if (volumeBindingMode === undefined) yield required("volumeBindingMode");
  else if (!BINDING_MODES.includes(volumeBindingMode))
    yield notSupported("volumeBindingMode", volumeBindingMode, BINDING_MODES);
  yield* validateTopologies(storage.allowedTopologies ?? []);
}

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_BYTES = 256 * 1024;

function* validateParameters(parameters: Readonly<Record<string, string>> | undefined): Problems {
  const given = entries(parameters);
  if (given.length > MAX_PARAMETERS) yield tooLong("parameters", MAX_PARAMETERS);
  if (given.some(([key]) => key === "")) yield invalidValue("parameters", "", "field can not be empty.");
  const bytes = given.reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);
  if (bytes > MAX_PARAMETERS_BYTES) yield tooLong("parameters", MAX_PARAMETERS_BYTES);
}

/** Terms that say different things, each of keys that come once. */
function* validateTopologies(terms: NonNullable<StorageV1StorageClass["allowedTopologies"]>): Problems {
  // Upstream compares with as many terms that say nothing, too.
  const seen = new Set<string>(["[]"]);
  for (const [index, { matchLabelExpressions = [] }] of terms.entries()) {
    const at = `allowedTopologies[${index}].matchLabelExpressions`;
    const keys = new Set<string>();
    const said = new Map<string, string[]>();
    for (const [at2, { key = "", ...expression }] of matchLabelExpressions.entries()) {
      const values = expression.values ?? [];
      if (!values.length) yield required(`${at}[${at2}].values`);
      yield* invalidFor(`${at}[${at2}].key`, key, qualifiedNameProblems(key));
      for (const [valueIndex, value] of values.entries())
        if (values.indexOf(value) < valueIndex) yield duplicate(`${at}[${at2}].values[${valueIndex}]`, value);
      if (keys.has(key)) yield duplicate(`${at}[${at2}].key`, key);
      keys.add(key);
      said.set(key, [...new Set(values)].sort());
    }
    const whole = JSON.stringify([...said].sort());
    if (seen.has(whole)) yield duplicate(at, "");
    seen.add(whole);
  }
}

export function* validateStorageClassUpdate(storage: StorageV1StorageClass, old: StorageV1StorageClass): Problems {
  if (!same(storage.parameters ?? {}, old.parameters ?? {}))
    yield forbiddenField("parameters", "updates to parameters are forbidden.");
  if (storage.provisioner !== old.provisioner)
    yield forbiddenField("provisioner", "updates to provisioner are forbidden.");
  if (storage.reclaimPolicy !== old.reclaimPolicy)
    yield forbiddenField("reclaimPolicy", "updates to reclaimPolicy are forbidden.");
  if (storage.volumeBindingMode !== old.volumeBindingMode)
    yield invalidValue("volumeBindingMode", storage.volumeBindingMode, "field is immutable");
}
