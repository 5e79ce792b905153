/** What the storage uses of Node.js' own module, which every home of the Worker has; the platform's types lack it. */
declare module "node:crypto" {
  type Cipher = { setAAD(bytes: Uint8Array): void; update(bytes: Uint8Array): Uint8Array; final(): Uint8Array };
  export function createCipheriv(
    algorithm: "aes-256-gcm",
    key: Uint8Array,
    nonce: Uint8Array,
  ): Cipher & { getAuthTag(): Uint8Array };
  export function createDecipheriv(
    algorithm: "aes-256-gcm",
    key: Uint8Array,
    nonce: Uint8Array,
  ): Cipher & { setAuthTag(tag: Uint8Array): void };
  export function hkdfSync(hash: string, secret: string, salt: string, info: string, bytes: number): ArrayBuffer;
  export function randomBytes(bytes: number): Uint8Array;
}
