/**
 * The page where there is no way to the cluster, and what the cluster pushes where the page is not open. It keeps the page's own
 * files, which are the same for everybody, and never an answer of the API or a token: those requests it does not touch.
 */

const { pathname: folder, origin } = new URL("./", self.location.href);
/** Other clusters of the origin have pages of their own, whose files may be others. */
const SHELL = `shell ${folder}`;
const PAGE = "./";

self.addEventListener("install", (event) => event.waitUntil(install()));

/** Where it cannot be kept the worker is good for the rest. */
async function install() {
  await fetch(PAGE)
    .then((answer) => answer.ok && keepPage(answer))
    .catch(() => undefined);
  await self.skipWaiting();
}

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const asked = new URL(url);
  const isOurs = asked.origin === origin && asked.pathname.startsWith(folder);
  const isFile = isOurs && asked.pathname !== `${folder}login` && method === "GET";
  if (isFile) event.respondWith(newest(event, asked.pathname === folder));
});

/** From the cluster, and where that cannot be reached, as it was last. There may be no room to keep it: that is nobody's trouble. */
async function newest(event, isPage) {
  const { request } = event;
  try {
    const answer = await fetch(request);
    if (answer.ok) {
      const copy = answer.clone();
      event.waitUntil((isPage ? keepPage(copy) : keepFile(request, copy)).catch(() => undefined));
    }
    return answer;
  } catch (error) {
    const kept = await match(isPage ? PAGE : request).catch(() => undefined);
    if (kept) return kept;
    throw error;
  }
}

const match = async (key) => (await caches.open(SHELL)).match(key);

const keepFile = async (request, answer) => (await caches.open(SHELL)).put(request, answer);

/** The page after all that it names, so that what is kept is whole; then what is of an older page goes. */
async function keepPage(answer) {
  const shell = await caches.open(SHELL);
  const before = await shell.match(PAGE);
  const [old, now] = [await before?.text(), await answer.clone().text()];
  if (old === now) return;
  const named = [...new Set(Array.from(now.matchAll(/ (?:src|href)="([\w.-]+)"/g), ([, file]) => file))];
  await shell.addAll(named);
  await shell.put(PAGE, answer);
  const wanted = new Set([PAGE, ...named].map((file) => new URL(file, self.location.href).href));
  for (const file of await shell.keys()) if (!wanted.has(file.url)) await shell.delete(file);
}

self.addEventListener("push", (event) => {
  const { id, title, body } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag: id, icon: "icon.svg" }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(showAlerts());
});

const ALERTS = "./#/alerts";

async function showAlerts() {
  const [open] = await self.clients.matchAll({ type: "window" });
  if (!open) return self.clients.openWindow(ALERTS);
  await open.focus();
  return open.navigate(ALERTS);
}
