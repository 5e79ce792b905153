/** Refusals of bad input that are a 500, 503 or 504 in kube-apiserver too, and that its clients know. */
export const KNOWN_FAULTS =
  /strconv\.ParseUint: |resourceVersion should not be set|target\.(name|kind): |typed patch object|unknown patch type: |declared merge key: |cannot merge lists without merge key for |setElementOrder list|failed to convert new object|Timeout: Too large resource version: /;
