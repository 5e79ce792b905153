import type { QrCode } from "./qr-code.ts";

/** Black on white in the dark, too: many cameras read no other. */
export function Qr({ code, label }: { code: QrCode; label: string }) {
  const dark = code.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="qr" viewBox={`0 0 ${code.length} ${code.length}`} role="img" aria-label={label}>
      <path d={dark.join("")} />
    </svg>
  );
}
