/** `/logs/`: the files below the machine's /var/log, as a file server shows them. */
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, normalize, sep } from "node:path";
import { type Answer, notFound, text } from "./answer.ts";

const ROOT = "/var/log";
const PAGE = "text/html; charset=utf-8";

const escaped = (name: string) =>
  name.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" })[c] ?? c);

/** `path` is what follows `/logs/`, still escaped as in the URL. */
export async function nodeLogs(path: string, root = ROOT): Promise<Answer> {
  const asked = decode(path);
  // Whoever sees logs is not to see files elsewhere, though links between logs are followed.
  if (asked === undefined || asked.split("/").includes("..")) return text(400, "invalid URL path\n");
  const place = normalize(join(root, asked));
  const real = await realpath(place).catch(() => undefined);
  const within = await realpath(root).catch(() => root);
  if (real === undefined || (real !== within && !real.startsWith(within + sep))) return notFound();
  const found = await stat(real).catch(() => undefined);
  if (found?.isDirectory()) {
    // Links within the list are relative, so it has to end with a slash.
    if (path !== "" && !path.endsWith("/")) return moved(`${path.split("/").at(-1) ?? ""}/`);
    return list(real);
  }
  if (!found?.isFile()) return notFound();
  if (path.endsWith("/")) return moved(`../${asked.replace(/\/+$/, "").split("/").at(-1) ?? ""}`);
  return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: createReadStream(real) };
}

const moved = (location: string): Answer => ({ status: 301, headers: { location }, body: "" });

async function list(folder: string): Promise<Answer> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).toSorted();
  const lines = names.map((name) => `<a href="${escaped(encodeURI(name))}">${escaped(name)}</a>\n`);
  const page = `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join("")}</pre>\n`;
  return { status: 200, headers: { "content-type": PAGE }, body: page };
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
