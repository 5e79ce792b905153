/** Where in the page the user is: the part of the address after `#`, by slashes. An empty part is written `-`. */
import { signal } from "@preact/signals";

const read = () =>
  location.hash
    .replace(/^#\/?/, "")
    .split("/")
    .filter(Boolean)
    .map((part) => (part === "-" ? "" : decodeURIComponent(part)));

export const route = signal<readonly string[]>(read());

addEventListener("hashchange", () => {
  route.value = read();
});

export const href = (...parts: readonly string[]): string =>
  `#/${parts.map((part) => (part === "" ? "-" : encodeURIComponent(part))).join("/")}`;

export const go = (...parts: readonly string[]): void => {
  location.hash = href(...parts);
};
