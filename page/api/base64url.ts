/** RFC 4648 §5, without padding, of strings with a character for each byte. */

export const toBase64Url = (bytes: string): string =>
  btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** Throws where the text is not base64. */
export const fromBase64Url = (text: string): string => atob(text.replaceAll("-", "+").replaceAll("_", "/"));

/** The bytes that the characters stand for. */
export const bytesOf = (characters: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(characters, (character) => character.charCodeAt(0));
