import ipaddr from "ipaddr.js";

/**
 * String formats that custom resources may ask for; others say nothing about the value.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
 */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  byte: (text) => text !== "" && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  cidr: (text) => ipaddr.isValidCIDR(text),
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDay(text),
  "date-time": isDateTime,
  datetime: isDateTime,
  duration: isDuration,
  email: (text) => /^[^\s@<>]+@[^\s@<>]+$/.test(text),
  hexcolor: (text) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
  hostname: (text) => text.length <= 255 && HOSTNAME.test(text),
  bsonobjectid: (text) => /^[0-9a-fA-F]{24}$/.test(text),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
  ipv4: (text) => ipaddr.IPv4.isValidFourPartDecimal(text),
  ipv6: (text) => text.includes(":") && ipaddr.IPv6.isValid(text),
  "k8s-long-name": (text) =>
    text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text),
  "k8s-short-name": (text) => text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text),
  mac: (text) => /^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}(([:-][0-9a-fA-F]{2}){2})?$/.test(text),
  rgbcolor: (text) => /^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/.test(text),
  uri: (text) => URL.canParse(text) || text.startsWith("/"),
  uuid: (text) => uuid("[0-9a-f]", "[0-9a-f]").test(text),
  uuid3: (text) => uuid("3", "[0-9a-f]").test(text),
  uuid4: (text) => uuid("4", "[89ab]").test(text),
  uuid5: (text) => uuid("5", "[89ab]").test(text),
};

/** One label, or several of which the last has letters only. */
const HOSTNAME =
  /^(?:[a-zA-Z0-9\p{S}\p{L}](?:-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?|(?:[a-zA-Z0-9\p{S}\p{L}](?:[a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?\.)+(?:[a-zA-Z\p{L}]){2,63})$/u;

const plainDigits = (text: string) => text.replace(/[\s-]+/g, "");

function isIsbn10(text: string): boolean {
  const digits = plainDigits(text);
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce((total, char, at) => total + (10 - at) * (char === "X" ? 10 : Number(char)), 0);
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = plainDigits(text);
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((total, char, at) => total + (at % 2 ? 3 : 1) * Number(char), 0) % 10 === 0;
}

/** Luhn's sum. */
function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, "");
  if (!/^\d{13,19}$/.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, char, at) => {
    const value = Number(char) * (at % 2 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

const uuid = (version: string, variant: string) =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, "i");

function isDay(text: string): boolean {
  const time = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text.slice(0, 10));
}

function isDateTime(text: string): boolean {
  const shape = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$/;
  return shape.test(text) && isDay(text) && Number(text.slice(11, 13)) < 24 && Number(text.slice(14, 16)) < 60;
}

/** Go's durations (`1h30m`, `-1.5s`), and those with words (`22 ns`, `3 days`). */
function isDuration(text: string): boolean {
  if (
    text === "0" ||
    /^[-+]?(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/.test(text)
  )
    return true;
  return /\d+\s*(nano|micro|milli|sec|min|hr|hour|day|wk|week|ns|us|µs|ms|s|m|h|d|w)/i.test(text);
}

export const hasFormat = (format: string, text: string): boolean => formats[format]?.(text) ?? true;
