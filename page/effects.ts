/** Time and the browser's own state: all that the page does not pass on as values. */
import { type Signal, signal } from "@preact/signals";

/** Resolves after `ms`, or when `abort` is. */
export function sleep(ms: number, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      abort.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    abort.addEventListener("abort", done);
  });
}

/** Milliseconds since 1970. */
export const clock = (): number => Date.now();

export const timestamp = (): string => new Date().toISOString();

/** Calls `act` each `ms` until what it gives is called. */
export function every(ms: number, act: () => void): () => void {
  const timer = setInterval(act, ms);
  return () => clearInterval(timer);
}

/** Milliseconds since 1970, told anew each second while the page can be seen. */
export const now: Signal<number> = signal(Date.now());

export const visible: Signal<boolean> = signal(document.visibilityState === "visible");

document.addEventListener("visibilitychange", () => {
  visible.value = document.visibilityState === "visible";
});

/** Whether this device has a network at all. */
export const online: Signal<boolean> = signal(navigator.onLine);
for (const word of ["online", "offline"])
  addEventListener(word, () => {
    online.value = navigator.onLine;
  });

every(1000, () => {
  if (visible.value) now.value = Date.now();
});
