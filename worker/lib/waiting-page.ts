/** What a browser is shown while what it asks for starts. */

/** The page asks again by itself. */
export const WAITING_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2">
<title>Starting…</title>
<style>body{font:16px system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;color-scheme:light dark}</style>
<p role="status">Starting… this page comes back by itself.</p>
</html>
`;

/** Whether a browser loads a page by this request: https://www.w3.org/TR/fetch-metadata/#sec-fetch-mode-header */
export function loadsPage(method: string, header: (name: string) => string | null | undefined): boolean {
  const mode = header("sec-fetch-mode") ?? "navigate";
  return method === "GET" && mode === "navigate" && (header("accept") ?? "").includes("text/html");
}
