/** What is being done, on standard error: results alone go to standard output. */
export const progress = (message: string) => void process.stderr.write(`bench: ${message}\n`);
