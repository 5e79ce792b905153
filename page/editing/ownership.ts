/** Whose the fields of an object are: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
import { type Element, parseElement } from "../../worker/kinds/patch/fields/element.ts";

/** As whom the page applies. */
export const MANAGER = "skerry-page";

type FieldsV1 = { [element: string]: FieldsV1 };
export type ManagedFields = { manager?: string; operation?: string; subresource?: string; fieldsV1?: FieldsV1 };

const isOurs = ({ manager, operation }: ManagedFields) => manager === MANAGER && operation === "Apply";

/** Paths of the fields that the page has applied before. */
export const applied = (managed: readonly ManagedFields[]): readonly (readonly Element[])[] =>
  managed.filter(isOurs).flatMap(({ fieldsV1 = {} }) => leaves(fieldsV1));

function leaves(fields: FieldsV1, path: readonly Element[] = []): (readonly Element[])[] {
  return Object.entries(fields).flatMap(([text, within]) => {
    const element = parseElement(text);
    if (element === undefined) return [];
    const here = [...path, element];
    return Object.keys(within).length === 0 ? [here] : leaves(within, here);
  });
}

/** Who else has a part in what lies at the path. */
export const others = (managed: readonly ManagedFields[], path: readonly Element[]): readonly string[] => [
  ...new Set(managed.filter((each) => each.manager !== MANAGER && has(each, path)).map(({ manager = "" }) => manager)),
];

/** Whether what lies at the path goes by itself once the page no longer applies it. */
export const isOursAlone = (managed: readonly ManagedFields[], path: readonly Element[]): boolean => {
  const owners = managed.filter((each) => has(each, path));
  return owners.length > 0 && owners.every(isOurs);
};

function has({ fieldsV1 }: ManagedFields, path: readonly Element[]): boolean {
  let here = fieldsV1;
  for (const [depth, element] of path.entries()) {
    if (!here) return false;
    const next = Object.entries(here).find(([text]) => parseElement(text) === element)?.[1];
    if (!next) return depth > 0 && Object.keys(here).length === 0; // a whole, of which this is a part
    here = next;
  }
  return here !== undefined;
}
