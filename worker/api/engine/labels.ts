import type { Labels } from "../../lib/selectors.ts";

/**
 * The labels of stored text, without parsing all of it: the order in which metadata is written puts only plain values
 * before them. Undefined when the text does not look like that, and has to be parsed.
 */
export function labelsIn(json: string): Labels | undefined {
  BEFORE.lastIndex = json.indexOf(METADATA) + METADATA.length;
  if (BEFORE.lastIndex < METADATA.length || BEFORE.exec(json) === null) return undefined;
  AFTER.lastIndex = BEFORE.lastIndex;
  const found = AFTER.exec(json);
  if (!found) return undefined;
  return found[1] === undefined ? {} : (JSON.parse(found[1]) as Labels);
}

const METADATA = '"metadata":{';
const BEFORE =
  /(?:"(?:name|generateName|namespace|uid|resourceVersion|creationTimestamp|deletionTimestamp)":"[^"\\]*",?|"(?:generation|deletionGracePeriodSeconds)":\d+,?)*/y;
/** Keys and values of labels are validated to hold neither quotes nor braces. */
const AFTER = /"labels":(\{[^}]*\})|"(?:annotations|ownerReferences|finalizers|managedFields)":|\}/y;
