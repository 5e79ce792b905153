import { expect, test } from "vitest";
import { StatusError } from "../api/client.ts";
import type { Given } from "../api/issuers.ts";
import { KeptLogin } from "./kept-login.ts";

const LIFE = 300;
const tokenOf = (sub: string, iat: number) =>
  `x.${btoa(JSON.stringify({ iss: "https://issuer", sub, iat, exp: iat + LIFE }))}.y`;

class Memory extends Map<string, string> {
  getItem = (key: string) => this.get(key) ?? null;
  setItem = (key: string, value: string) => void this.set(key, value);
  removeItem = (key: string) => void this.delete(key);
}

/** A browser of which each `tab` is one; `clock` in seconds, and what its issuer answers. */
function browserWith(answer: (refreshToken: string) => Promise<Given>) {
  const browser = new Memory();
  const clock = { now: 0 };
  const asked: string[] = [];
  const tab = () =>
    new KeptLogin({
      key: "k",
      tab: new Memory(),
      browser,
      now: () => clock.now * 1000,
      alone: (act) => act(),
      exchange: ({ refreshToken }) => {
        asked.push(refreshToken);
        return answer(refreshToken);
      },
    });
  return { browser, clock, asked, tab };
}

const first = tokenOf("ann", 0);
const RENEWAL = { issuer: "https://issuer", refreshToken: "r1", skew: 0 };
const next = async (): Promise<Given> => ({ idToken: tokenOf("ann", 290), refreshToken: "r2", at: 290_000 });
const GONE = { code: 401 };

test("the next token is had once, by whichever tab is first", async () => {
  const { clock, asked, tab } = browserWith(next);
  const [one, other] = [tab(), tab()];
  one.keep(first, true, RENEWAL);
  expect([one.token(), one.isRenewed(), one.isDue(first)]).toEqual([first, true, false]);
  clock.now = 290;
  expect(one.isDue(first)).toBe(true);
  const followed = await one.renew(first);
  expect(await other.renew(first)).toBe(followed);
  expect(asked).toEqual(["r1"]);
  clock.now = 580;
  await other.renew(followed);
  expect(asked).toEqual(["r1", "r2"]);
});

test("who logs out while the next token is had stays logged out", async () => {
  const { clock, browser, tab } = browserWith(async () => {
    other.forget();
    return next();
  });
  const [one, other] = [tab(), tab()];
  one.keep(first, true, RENEWAL);
  clock.now = 290;
  await expect(one.renew(first)).rejects.toMatchObject(GONE);
  expect([...browser]).toEqual([]);
});

test("a tab goes on as nobody but whom it shows", async () => {
  const { clock, asked, tab } = browserWith(next);
  const [one, other] = [tab(), tab()];
  one.keep(first, true, RENEWAL);
  clock.now = 290;
  for (const token of [tokenOf("bob", 290), "opaque"]) {
    other.keep(token, true, RENEWAL);
    await expect(one.renew(first)).rejects.toMatchObject(GONE);
  }
  other.forget();
  await expect(one.renew(first)).rejects.toMatchObject(GONE);
  expect(asked).toEqual([]);
});

test("a login is in place of every other, and only a token's own is forgotten with it", () => {
  const { browser, tab } = browserWith(next);
  const [one, other] = [tab(), tab()];
  one.keep("a", false, RENEWAL);
  one.keep("b", true, undefined);
  expect([one.token(), one.isRenewed(), other.token()]).toEqual(["b", false, "b"]);
  other.keep("c", true, RENEWAL);
  one.forget("b");
  expect(one.token()).toBe("c");
  one.forget("c");
  expect([one.token(), browser.size]).toEqual([null, 0]);
});

test("an issuer that does not answer is asked again after a while", async () => {
  const { clock, tab } = browserWith(async () => {
    throw new StatusError(502, "BadGateway", "away");
  });
  const one = tab();
  one.keep(first, false, RENEWAL);
  clock.now = 290;
  await expect(one.renew(first)).rejects.toMatchObject({ code: 502 });
  expect(one.isDue(first)).toBe(false);
  clock.now = 301;
  expect(one.isDue(first)).toBe(true);
});

test.each([-7200, 7200])("a clock that is %i s off makes no token older or younger", (off) => {
  const { clock, tab } = browserWith(next);
  const token = tokenOf("ann", 10_000);
  clock.now = 10_000 + off;
  tab().keep(token, true, { ...RENEWAL, skew: -off * 1000 });
  expect(tab().isDue(token)).toBe(false);
  clock.now += 290;
  expect(tab().isDue(token)).toBe(true);
});
