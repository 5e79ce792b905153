/** What was thrown, in words; it need not be an Error. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
