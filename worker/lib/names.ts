/**
 * Rules for names, keys and label values. Each function returns the problems, in apimachinery's words; none is good.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 */
import { byteLength } from "./bytes.ts";

export type Problems = readonly string[];
type Rule = (value: string) => string[];

const LABEL_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_1123 = `${LABEL_1123}(\\.${LABEL_1123})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${QUALIFIED})?`;
const CONFIG_KEY = "[-._a-zA-Z0-9]+";

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);
/** What matches one of the patterns above is ASCII, and a character of it a byte. */
const lengthOf = (text: string, isGood: boolean) => (isGood ? text.length : byteLength(text));

const tooLongName = (max: number): string => `must be no more than ${max} characters`;
const tooManyBytes = (max: number): string => `must be no more than ${max} bytes`;
export const betweenNumbers = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

/** Explains a pattern the way `validation.RegexError` does. */
export function patternProblem(message: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(" or ");
  return examples.length
    ? `${message} (e.g. ${shown}regex used for validation is '${pattern}')`
    : `${message} (regex used for validation is '${pattern}')`;
}

/** A rule of at most `max` bytes that match `pattern`. What a length is counted in, upstream says in two ways. */
function rule(max: number, pattern: string, explain: (value: string) => string, tooLong = tooLongName): Rule {
  const good = whole(pattern);
  return (value) => {
    const isGood = good.test(value);
    return [...(lengthOf(value, isGood) > max ? [tooLong(max)] : []), ...(isGood ? [] : [explain(value)])];
  };
}

const notSubdomain = patternProblem(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN_1123,
  "example.com",
);
export const dnsSubdomainProblems: Rule = rule(253, SUBDOMAIN_1123, () => notSubdomain);
/** Newer words of the same. */
export const longNameProblems: Rule = rule(253, SUBDOMAIN_1123, () => notSubdomain, tooManyBytes);

const SEARCH_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SEARCH = `${SEARCH_LABEL}(\\.${SEARCH_LABEL})*`;
const notSearch = patternProblem(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  SEARCH,
  "example.com",
);
/** A domain that a resolver looks in: its labels may hold underscores. */
export const searchDomainProblems: Rule = rule(253, SEARCH, () => notSearch);

const notLabel = patternProblem(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL_1123,
  "my-name",
  "123-abc",
);
const subdomain = whole(SUBDOMAIN_1123);
export const dnsLabelProblems: Rule = rule(63, LABEL_1123, (value) =>
  subdomain.test(value) ? "must not contain dots" : notLabel,
);

const not1035 = patternProblem(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  LABEL_1035,
  "my-name",
  "abc-123",
);
export const dns1035LabelProblems: Rule = rule(63, LABEL_1035, () => not1035);

const WILDCARD = `\\*\\.${SUBDOMAIN_1123}`;
const notWildcard = patternProblem(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  WILDCARD,
  "*.example.com",
);
export const wildcardSubdomainProblems: Rule = rule(253, WILDCARD, () => notWildcard);

const notQualified = patternProblem(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  QUALIFIED,
  "MyName",
  "my.name",
  "123-abc",
);
const qualified = whole(QUALIFIED);

/** `name` or `prefix/name`: keys of labels, annotations, taints and finalizers. */
export function qualifiedNameProblems(value: string): string[] {
  const parts = value.split("/");
  if (parts.length > 2)
    return [
      `a valid label key ${notQualified} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const problems: string[] = [];
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === "") problems.push("prefix part must be non-empty");
  else if (prefix !== undefined) problems.push(...longNameProblems(prefix).map((p) => `prefix part ${p}`));
  const isGood = qualified.test(name);
  if (name === "") problems.push("name part must be non-empty");
  else if (lengthOf(name, isGood) > 63) problems.push(`name part ${tooManyBytes(63)}`);
  if (!isGood) problems.push(`name part ${notQualified}`);
  return problems;
}

const notLabelValue = patternProblem(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  LABEL_VALUE,
  "MyValue",
  "my_value",
  "12345",
);
export const labelValueProblems: Rule = rule(63, LABEL_VALUE, () => notLabelValue, tooManyBytes);

/** Names that only have to be one segment of a URL path: RBAC roles and bindings. */
export function pathSegmentProblems(value: string): string[] {
  if (value === "." || value === "..") return [`may not be '${value}'`];
  return ["/", "%"].filter((sign) => value.includes(sign)).map((sign) => `may not contain '${sign}'`);
}

const notConfigKey = patternProblem(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  CONFIG_KEY,
  "key.name",
  "KEY_NAME",
  "key-name",
);
const configKey = whole(CONFIG_KEY);

/** Keys of ConfigMaps and Secrets. */
export function configKeyProblems(value: string): string[] {
  const isGood = configKey.test(value);
  const problems = lengthOf(value, isGood) > 253 ? [tooLongName(253)] : [];
  problems.push(...(isGood ? dotDotProblems(value) : [notConfigKey]));
  return problems;
}

function dotDotProblems(value: string): string[] {
  if (value === "." || value === "..") return [`must not be '${value}'`];
  return value.startsWith("..") ? ["must not start with '..'"] : [];
}

export function envNameProblems(value: string): string[] {
  if (value === "") return [`environment variable name must be non-empty`];
  if (/^[ -<>-~]+$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function portNameProblems(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 15) problems.push(tooLongName(15));
  if (!/^[-a-z0-9]+$/.test(value))
    problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(value)) problems.push("must contain at least one letter (a-z)");
  if (value.includes("--")) problems.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) problems.push("must not begin or end with a hyphen");
  return problems;
}

export const portNumberProblems = (port: number): string[] =>
  port >= 1 && port <= 65535 ? [] : [betweenNumbers(1, 65535)];

const PERCENT = "[0-9]+%";
export const percentProblems = (value: string): string[] =>
  whole(PERCENT).test(value)
    ? []
    : [
        patternProblem(
          "a valid percent string must be a numeric string followed by an ending '%'",
          PERCENT,
          "1%",
          "93%",
        ),
      ];

/** What a generated name's prefix is checked as: a trailing dash is fine, since characters follow. */
export const maskTrailingDash = (prefix: string): string =>
  prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix;
