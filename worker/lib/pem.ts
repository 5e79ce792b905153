/** Texts that carry DER: RFC 7468. */

import { fromBase64, toBase64 } from "./bytes.ts";

export type PemBlock = { type: string; headers: readonly string[]; bytes: Uint8Array<ArrayBuffer> };

const LINE_CHARACTERS = 64;

export function encodePem(type: string, der: ArrayBuffer): string {
  const text = toBase64(new Uint8Array(der));
  const lines = text.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, "g")) ?? [];
  return `-----BEGIN ${type}-----\n${lines.join("\n")}\n-----END ${type}-----\n`;
}

/** All blocks of a text; what stands between them is let be. Throws where a block is not base64. */
export function decodePem(text: string): PemBlock[] {
  return Array.from(
    text.matchAll(/-----BEGIN ([^-]+)-----\s*?\n([^-]*)-----END \1-----/g),
    ([, type = "", body = ""]) => {
      const headers = body.split("\n").filter((line) => line.includes(":"));
      const base64 = body.split("\n").filter((line) => !line.includes(":"));
      return {
        type,
        headers,
        bytes: fromBase64(base64.join("").replace(/\s/g, "")),
      };
    },
  );
}
