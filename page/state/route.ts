/** Where in the page the user is: the part of the address after `#`, by slashes. An empty part is written `-`. */
import { signal } from "@preact/signals";

const read = () =>
  location.hash
    .replace(/^#\/?/, "")
    .split("/")
    .filter(Boolean)
    .map((part) => (part === "-" ? "" : decoded(part)));

/** As it stands where it means nothing: a link may say anything. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = signal<readonly string[]>(read());

addEventListener("hashchange", () => {
  route.value = read();
});

export const href = (...parts: readonly string[]): string =>
  `#/${parts.map((part) => (part === "" ? "-" : encodeURIComponent(part))).join("/")}`;

export const go = (...parts: readonly string[]): void => {
  location.hash = href(...parts);
};
