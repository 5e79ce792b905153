/** Refusals as the OCI distribution specification has them: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */

const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  /** Of Docker's, for what none of the others names. */
  UNKNOWN: 500,
} as const;

export type ErrorCode = keyof typeof STATUS;

type Told = { status?: number; headers?: Record<string, string> };

export const overQuota = ({ prefix, bytes }: { prefix: string; bytes: number }): RegistryError =>
  new RegistryError("DENIED", `quota exceeded: ${prefix || "the registry"} is limited to ${bytes} bytes`);

export class RegistryError extends Error {
  readonly code: ErrorCode;
  readonly #told: Told;

  /** `status` where it is not the code's usual one. */
  constructor(code: ErrorCode, message: string, told: Told = {}) {
    super(message);
    this.code = code;
    this.#told = told;
  }

  answer(): Response {
    const { status = STATUS[this.code], headers = {} } = this.#told;
    return Response.json({ errors: [{ code: this.code, message: this.message }] }, { status, headers });
  }
}
