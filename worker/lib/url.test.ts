import { expect, test } from "vitest";
import { pathAndQuery } from "./url.ts";

test.each([
  "https://h/api/v1/namespaces/default/configmaps/a",
  "https://127.0.0.1:6443/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
  "http://h/",
  "http://h",
  "http://h//api//v1",
  "http://h/a/../b",
  "http://h/a/./b",
  "http://h/a/..",
  "http://h/a/%2e%2e/b",
  "http://h/a\\b",
  "http://h\\a",
  "http://h/a b",
  "http://h/ä",
  "http://h/a?x=1&x=2",
  "http://h/a?",
  "http://h/a#b",
  "http://u:p@h/a",
])("%s is read as URL reads it", (text) => {
  const url = new URL(text);
  const { pathname, search, searchParams } = pathAndQuery(text);
  expect([pathname, search, String(searchParams)]).toEqual([url.pathname, url.search, String(url.searchParams)]);
  expect(pathAndQuery(text).searchParams).toBe(searchParams);
});
