import { describe, expect, test } from "vitest";
import { readAlertConfig } from "./config.ts";

const problemsIn = (data: Record<string, string>) =>
  readAlertConfig(data).problems.map(({ field, message }) => `${field}: ${message}`);

test("without a word the default rules are in force, and nobody is told", () => {
  const { config, problems } = readAlertConfig();
  expect(problems).toEqual([]);
  expect(config.receivers).toEqual([]);
  expect(config.rules["node-offline"]).toEqual({ enabled: true, forMs: 300_000 });
  expect(config.timing).toEqual({ waitMs: 30_000, intervalMs: 300_000, repeatMs: 43_200_000 });
});

test("receivers, rules, silences and times are read", () => {
  const { config, problems } = readAlertConfig({
    receivers: `
      - name: phone
        ntfy: { url: "https://ntfy.sh/attic", tokenKey: phone }
        severity: error
      - name: hook
        webhook: { urlKey: hook, hmacKey: sign }
        rules: [crash-loop]
      - name: mail
        email: { tokenKey: mail, from: a@example.com, to: [b@example.com] }`,
    rules: "node-offline: { for: 1m30s }\njob-failed: { enabled: false }",
    silences: "- { namespace: dev, until: 2030-01-31T12:00:00Z, comment: moving }",
    timing: "{ wait: 5s, interval: 0, repeat: 24h }",
  });
  expect(problems).toEqual([]);
  expect(config.receivers).toEqual([
    { name: "phone", target: { type: "ntfy", url: "https://ntfy.sh/attic", tokenKey: "phone" }, errorsOnly: true },
    {
      name: "hook",
      target: { type: "webhook", urlKey: "hook", hmacKey: "sign" },
      errorsOnly: false,
      rules: ["crash-loop"],
    },
    {
      name: "mail",
      target: {
        type: "email",
        url: "https://api.resend.com/emails",
        tokenKey: "mail",
        from: "a@example.com",
        to: ["b@example.com"],
      },
      errorsOnly: false,
    },
  ]);
  expect(config.rules["node-offline"].forMs).toBe(90_000);
  expect(config.rules["job-failed"].enabled).toBe(false);
  expect(config.silences).toEqual([{ namespace: "dev", until: Date.UTC(2030, 0, 31, 12) }]);
  expect(config.timing).toEqual({ waitMs: 5_000, intervalMs: 0, repeatMs: 86_400_000 });
});

describe("what is wrong is told with its field", () => {
  test.each([
    [{ receiver: "[]" }, "data[receiver]: Unsupported value"],
    [{ receivers: "- {" }, "data[receivers]: Invalid value"],
    [{ receivers: "&a [*a]" }, "data[receivers]: Invalid value"],
    [{ receivers: "name: x" }, "data[receivers]: Invalid value"],
    [{ receivers: "- name: Phone\n  ntfy: { url: https://a.example }" }, "data[receivers][0].name: Invalid value"],
    [{ receivers: "- name: a" }, "data[receivers][0]: Required value: exactly one of webhook, ntfy, email"],
    [{ receivers: "- name: a\n  ntfy: {}" }, "data[receivers][0].ntfy.url: Required value"],
    [{ receivers: "- name: a\n  ntfy: { url: ftp://a }" }, "data[receivers][0].ntfy.url: Invalid value"],
    [
      { receivers: "- name: a\n  webhook: { url: https://u:p@a.example }" },
      "data[receivers][0].webhook.url: Invalid value",
    ],
    [
      { receivers: "- name: a\n  webhook: { url: https://a.example, key: x }" },
      "data[receivers][0].webhook.key: Unsupported value",
    ],
    [{ receivers: "- name: a\n  email: { from: a }" }, "data[receivers][0].email.tokenKey: Required value"],
    [{ rules: "node-ofline: {}" }, "data[rules].node-ofline: Unsupported value"],
    [{ rules: "node-offline: { for: soon }" }, "data[rules].node-offline.for: Invalid value"],
    [{ rules: "node-offline: { for: -5m }" }, "data[rules].node-offline.for: Invalid value"],
    [{ rules: "node-offline: { enabled: 1 }" }, "data[rules].node-offline.enabled: Invalid value"],
    [{ silences: "- { rule: crash-loop }" }, "data[silences][0].until: Required value"],
    [{ silences: "- { until: tomorrow }" }, "data[silences][0].until: Invalid value"],
    [{ timing: "{ repeat: 1ms }" }, "data[timing].repeat: Invalid value"],
    [{ timing: "{ repeat: 400d }" }, "data[timing].repeat: Invalid value"],
  ])("%j", (data, problem) => {
    expect(problemsIn(data as Record<string, string>)[0]).toContain(problem);
  });

  test("two receivers of one name", () => {
    const receivers =
      "- { name: a, ntfy: { url: https://a.example } }\n- { name: a, ntfy: { url: https://b.example } }";
    expect(problemsIn({ receivers })).toEqual(['data[receivers][1].name: Duplicate value: "a"']);
  });
});
