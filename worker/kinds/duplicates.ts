/**
 * Paths of keys that appear more than once in their object: `data.k`, `spec.containers[0].name`. `JSON.parse` keeps
 * the last of them silently. The text must be valid JSON; each path is given once.
 */
export function duplicateKeys(text: string): string[] {
  const found = new Set<string>();
  const open: Frame[] = [];
  let frame: Frame | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (frame) open.push(frame);
        frame = { keys: text.charCodeAt(at) === OPEN_OBJECT ? new Set() : undefined, key: "", index: 0, isKey: true };
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        frame = open.pop();
        break;
      case COMMA:
        if (frame) {
          frame.index++;
          frame.isKey = true;
        }
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        if (frame?.keys && frame.isKey) {
          frame.key = plain(text, at, end);
          frame.isKey = false;
          if (frame.keys.has(frame.key)) found.add(pathOf([...open, frame]));
          frame.keys.add(frame.key);
        }
        at = end;
      }
    }
  }
  return [...found];
}

/** An object or list being read: the keys seen, the current key or index. */
type Frame = { keys: Set<string> | undefined; key: string; index: number; isKey: boolean };

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && escaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function escaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

function plain(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
}

function pathOf(frames: readonly Frame[]): string {
  return frames.reduce((path, { keys, key, index }) => {
    if (!keys) return `${path}[${index}]`;
    return path ? `${path}.${key}` : key;
  }, "");
}
