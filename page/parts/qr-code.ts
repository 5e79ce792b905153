/** Draws QR codes: loaded with the first one. */
import { encodeQR } from "qr";

/** Squares by row, dark ones true, with the light border that cameras want. */
export type QrCode = readonly (readonly boolean[])[];

/** @throws where the text is longer than a code can hold, about 2 kB. */
export const qrCode = (text: string): QrCode => encodeQR(text, "raw");
