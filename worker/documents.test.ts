import { expect, test } from "vitest";
import { readDocument } from "./documents.ts";

const URL = "https://issuer.example.com/token";
const issuerThat = (status: number) => ({
  fetch: async () => Response.json({ error: "invalid_grant" }, { status }),
});

test.each([
  [400, { code: 400, message: `${URL} answered 400: invalid_grant` }],
  [401, { code: 400, message: `${URL} answered 401: invalid_grant` }],
  [429, { name: "Error", message: `${URL} answered 429: invalid_grant` }],
  [307, { name: "Error", message: `${URL} answered 307: invalid_grant` }],
  [503, { name: "Error", message: `${URL} answered 503: invalid_grant` }],
])("a form answered by %i", async (status, told) => {
  const asked = readDocument(issuerThat(status), URL, 60_000, { form: new URLSearchParams() });
  await expect(asked).rejects.toMatchObject(told);
});

test("a document that is not there may come", async () => {
  await expect(readDocument(issuerThat(404), URL, 60_000)).rejects.toMatchObject({
    name: "Error",
    message: `${URL} answered 404`,
  });
});

test("what is sent says who sends it", async () => {
  const sent: RequestInit[] = [];
  const fetch = async (_: string, init: RequestInit) => {
    sent.push(init);
    return new Response("{}");
  };
  const form = new URLSearchParams({ a: "b" });
  await readDocument({ fetch }, URL, 60_000, { form, authorization: "Basic x" });
  await readDocument({ fetch }, URL, 60_000);
  expect(sent).toMatchObject([
    { method: "POST", body: form, redirect: "manual", headers: { authorization: "Basic x" } },
    { headers: { accept: "application/json" } },
  ]);
  for (const none of ["body", "redirect"]) expect(sent[1]).not.toHaveProperty(none);
});
