/** Squares by row, dark ones true, with the light border that cameras want. */
export type QrCode = readonly (readonly boolean[])[];

/** Loads what draws it with the first one. @throws where the text is longer than a code can hold, about 2 kB. */
export async function qrCode(text: string): Promise<QrCode> {
  const { encode } = await import("./encode-qr.ts");
  return encode(text);
}

/** Black on white in the dark, too: many cameras read no other. */
export function Qr({ code, label }: { code: QrCode; label: string }) {
  const dark = code.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="qr" viewBox={`0 0 ${code.length} ${code.length}`} role="img" aria-label={label}>
      <path d={dark.join("")} />
    </svg>
  );
}
