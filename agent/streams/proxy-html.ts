/** Rewrites URLs in HTML as it streams by. Loaded with the first page, since few agents ever serve one. */
import type { Readable } from "node:stream";
import { RewritingStream } from "parse5-html-rewriting-stream";

/** Attributes that are URLs: https://html.spec.whatwg.org/multipage/indices.html#attributes-3, and HTML 4's. */
const URL_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["src", "usemap", "formaction"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};

/** The page in UTF-8, as it came but for the URLs that `rewrite` changes. */
export async function* rewriteHtml(page: Readable, rewrite: (url: string) => string): AsyncIterable<Buffer> {
  const stream = new RewritingStream();
  stream.on("startTag", (tag, raw) => {
    const names = URL_ATTRIBUTES[tag.tagName] ?? [];
    let isChanged = false;
    for (const attribute of tag.attrs) {
      if (!names.includes(attribute.name)) continue;
      const rewritten = rewrite(attribute.value);
      isChanged ||= rewritten !== attribute.value;
      attribute.value = rewritten;
    }
    if (isChanged) stream.emitStartTag(tag);
    else stream.emitRaw(raw);
  });
  page.once("error", (error) => stream.destroy(error));
  for await (const text of page.setEncoding("utf8").pipe(stream)) yield Buffer.from(text as string);
}
