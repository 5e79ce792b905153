/** What draws QR codes: loaded with the first one. */
import { encodeQR } from "qr";

/** @throws where the text is longer than a code can hold. */
export const encode = (text: string): boolean[][] => encodeQR(text, "raw");
