/** What stands around each page: no script, one style sheet, nothing from elsewhere. */
import { MENU, pageOf, titleOf, wayTo } from "./pages.ts";

export function layout(content: string, page: string): string {
  const title = /<h1[^>]*>(.*?)<\/h1>/s.exec(content)?.[1] ?? "Skerry";
  const link = (target: string, text: string) =>
    target === page ? `<a href="#" aria-current="page">${text}</a>` : `<a href="${wayTo(target, page)}">${text}</a>`;
  const menu = MENU.map(({ heading, pages }) => {
    const items = pages.map((name) => `docs/${name}.md`).map((file) => `<li>${link(pageOf(file), titleOf(file))}</li>`);
    return `<h2>${heading}</h2><ul>${items.join("")}</ul>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${page === "index.html" ? title : `${title} - Skerry`}</title>
<link rel="stylesheet" href="${wayTo("style.css", page)}">
</head>
<body>
<nav aria-label="Pages">
${link("index.html", "Skerry")}
${menu.join("\n")}
</nav>
<main>
${content}
</main>
</body>
</html>
`;
}
