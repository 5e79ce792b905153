/**
 * One step of a field's path, as FieldsV1 writes it: `f:name` a field, `k:{"name":"c"}` an item of a list by its keys,
 * `v:"x"` an item of a set by its value, `i:0` an item by its index. Keys of JSON in it are sorted, so that equal steps
 * are equal texts. https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#FieldsV1
 */
export type Element = string;

export const field = (name: string): Element => `f:${name}`;
export const item = (keys: Record<string, unknown>): Element => `k:${canonical(keys)}`;
export const value = (of: unknown): Element => `v:${canonical(of)}`;

/** undefined for what is no element. */
export function parseElement(text: string): Element | undefined {
  const rest = text.slice(2);
  if (text.startsWith("f:")) return text;
  if (text.startsWith("i:")) return /^\d+$/.test(rest) ? text : undefined;
  if (!text.startsWith("k:") && !text.startsWith("v:")) return undefined;
  try {
    const parsed = JSON.parse(rest) as unknown;
    if (text.startsWith("k:") && (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)))
      return undefined;
    return text.slice(0, 2) + canonical(parsed);
  } catch {
    return undefined;
  }
}

const ORDER = "fkvi";

/** Fields first, then keys, values and indexes. */
export function compareElements(a: Element, b: Element): number {
  if (a[0] !== b[0]) return ORDER.indexOf(a[0] ?? "") - ORDER.indexOf(b[0] ?? "");
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As messages show it: `.name`, `[name="c"]`, `[="x"]`, `[0]`. */
export function showElement(element: Element): string {
  const rest = element.slice(2);
  if (element.startsWith("f:")) return `.${rest}`;
  if (element.startsWith("i:")) return `[${rest}]`;
  const parsed = JSON.parse(rest) as unknown;
  if (element.startsWith("v:")) return `[=${canonical(parsed)}]`;
  const keys = Object.entries(parsed as Record<string, unknown>);
  return `[${keys.map(([name, of]) => `${name}=${canonical(of)}`).join(",")}]`;
}

export const showPath = (path: readonly Element[]): string => path.map(showElement).join("");

/** JSON with sorted keys. */
export function canonical(of: unknown): string {
  if (typeof of !== "object" || of === null) return JSON.stringify(of) ?? "null";
  if (Array.isArray(of)) return `[${of.map(canonical).join(",")}]`;
  const entries = Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(",")}}`;
}
