/** What encoding/json of Go escapes besides what JSON demands. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/**
 * JSON text as Go writes it, which is how kube-apiserver serves and Go's clients send it. Clients compare what they keep
 * of free form (a ControllerRevision's data) byte by byte with what they sent.
 * https://pkg.go.dev/encoding/json#HTMLEscape
 */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.search(ESCAPED) < 0 ? text : text.replace(ESCAPED, escaped);
}

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
