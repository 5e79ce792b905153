import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** In hexadecimal digits, of the text in UTF-8; at once, where nobody can wait for the platform's. */
export const sha256Hex = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));
