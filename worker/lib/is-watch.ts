/** Whether a request asks for a watch: an answer without an end. */
export function isWatch(request: Request): boolean {
  if (request.method !== "GET" || request.headers.get("upgrade")) return false;
  const { pathname, searchParams } = new URL(request.url);
  const watch = searchParams.get("watch");
  const wanted = watch !== null && watch !== "0" && watch.toLowerCase() !== "false";
  return wanted ? /^\/apis?\//.test(pathname) : /^\/(api|apis\/[^/]+)\/[^/]+\/watch\//.test(pathname);
}
