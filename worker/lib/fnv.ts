const OFFSET_BASIS = 0x811c9dc5;

/** 32-bit FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) over UTF-8; another basis makes another hash. */
export function fnv32(text: string, basis = OFFSET_BASIS): number {
  let hash = basis;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
