const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH = 5;
const MAX_LENGTH = 63;

/**
 * A name for `generateName`, as the API server makes them. Controllers that must tell the name in an event choose it
 * themselves; a name that is taken already is a refused create, and the next try has another.
 */
export function generatedName(base: string, random: () => number): string {
  let suffix = "";
  for (let i = 0; i < SUFFIX_LENGTH; i++) suffix += ALPHABET[Math.floor(random() * ALPHABET.length)];
  return base.slice(0, MAX_LENGTH - SUFFIX_LENGTH) + suffix;
}

/** Digits and letters in an alphabet without vowels and look-alikes, so that no hash spells a word. */
export function safeEncode(text: string): string {
  return [...text].map((c) => ALPHABET[c.charCodeAt(0) % ALPHABET.length]).join("");
}
