import type { RecordFiles } from "./records.ts";

export function memoryFiles(): RecordFiles {
  const files = new Map<string, string>();
  return {
    names: () => [...files.keys()],
    read: (name) => files.get(name),
    write: (name, text) => void files.set(name, text),
    remove: (name) => void files.delete(name),
  };
}
