import { isTrue } from "./query.ts";

/** Whether a request asks for a watch: an answer without an end. */
export function isWatch(request: Request, url = new URL(request.url)): boolean {
  if (request.method !== "GET" || !/^(websocket)?$/i.test(request.headers.get("upgrade") ?? "")) return false;
  if (!url.search.includes("watch") && !url.pathname.includes("/watch/")) return false;
  const { pathname, searchParams } = url;
  return isTrue(searchParams.get("watch"))
    ? /^\/apis?\//.test(pathname)
    : /^\/(api|apis\/[^/]+)\/[^/]+\/watch\//.test(pathname);
}
