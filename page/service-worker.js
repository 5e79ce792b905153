/**
 * The page where there is no way to the cluster, and what the cluster pushes where the page is not open. It keeps the page's own
 * files, which are the same for everybody, and never an answer of the API or a token: those requests it does not touch.
 */

const SHELL = "shell";
const FILES = ["./", "manifest.webmanifest", "icon.svg"];
const { pathname: folder, origin } = new URL("./", self.location.href);

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((shell) => shell.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const asked = new URL(url);
  const isOurs = asked.origin === origin && asked.pathname.startsWith(folder);
  const isFile = isOurs && asked.pathname !== `${folder}login` && method === "GET";
  if (isFile) event.respondWith(newest(event.request, asked));
});

/** From the cluster, and where that cannot be reached, as it was last. */
async function newest(request, { pathname }) {
  const shell = await caches.open(SHELL);
  const key = pathname === folder ? "./" : request;
  try {
    const answer = await fetch(request);
    if (answer.ok) await keep(shell, key, answer.clone());
    return answer;
  } catch (error) {
    const kept = await shell.match(key);
    if (kept) return kept;
    throw error;
  }
}

/** Of a page that was replaced the files are of no more use: they are named by their content. */
async function keep(shell, key, answer) {
  if (key === "./") {
    const before = await shell.match(key);
    const [old, now] = [await before?.text(), await answer.clone().text()];
    if (old !== undefined && old !== now) for (const file of await shell.keys()) await shell.delete(file);
  }
  await shell.put(key, answer);
}

self.addEventListener("push", (event) => {
  const { id, title, body } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag: id, icon: "icon.svg" }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(shown());
});

async function shown() {
  const [open] = await self.clients.matchAll({ type: "window" });
  return open ? open.focus() : self.clients.openWindow("./#/alerts");
}
