const architectures: Record<string, string> = { x64: "amd64", arm64: "arm64" };

/** GOARCH of this machine. */
export const architecture = architectures[process.arch] ?? process.arch;
