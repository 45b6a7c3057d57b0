/**
 * Tells every twenty seconds, while the page is seen, where its reader is, and shows who else is filling in. What others
 * changed is offered by a button; it never replaces a field in which something is typed and not saved.
 */

const EVERY_MS = 20000;
const line = document.getElementById("colleagues");
let since = line?.dataset.since;
let changed = new Set();

const boxOf = (element) => element?.closest?.(".sb-field[data-path]");

function token() {
  return JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
}

/** Shows the answer; only words that are new are put in, so that nothing is read out twice. */
function show(fresh) {
  for (const path of JSON.parse(fresh.dataset.changed)) changed.add(path);
  const words = fresh.textContent.trim();
  if (line.textContent.trim() !== words) line.replaceChildren(...(words ? [fresh] : []));
}

async function visit() {
  if (document.hidden) return;
  const body = new URLSearchParams({ section: line.dataset.section, path: boxOf(document.activeElement)?.dataset.path || "", since });
  try {
    const headers = { "X-CSRFToken": token(), "HX-Request": "true" };
    const answer = await fetch(line.dataset.url, { method: "POST", body, headers, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-until]");
    if (fresh) show(fresh);
  } catch {
    // Without a line nobody is shown; the next visit comes by itself.
  }
}

function isDirty(box) {
  const data = new FormData(document.getElementById("answers"));
  const same = (name) => JSON.stringify(data.getAll(name).map((text) => String(text).replaceAll("\r\n", "\n")).filter((text) => text));
  return same(box.dataset.path) !== same(`base:${box.dataset.path}`);
}

/** Takes what others wrote from a fresh copy of the page: fields that stand untouched here; rows by opening it anew. */
async function refresh(button) {
  if (button.closest("[data-rows]")) return location.reload();
  const answer = await fetch(location.href, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const path of changed) {
    const find = (scope) => scope.querySelector(`.sb-field[data-path="${CSS.escape(path)}"]`);
    const [now, next] = [find(document), find(page)];
    if (!now || !next || isDirty(now)) continue;
    const place = document.importNode(next, true);
    now.replaceWith(place);
    htmx.process(place);
  }
  changed = new Set();
  since = page.getElementById("colleagues")?.dataset.since || since;
  line.replaceChildren();
  visit();
}

if (line) {
  line.addEventListener("click", (event) => {
    const button = event.target.closest("[data-refresh]");
    if (button) refresh(button);
  });
  document.addEventListener("visibilitychange", visit);
  setInterval(visit, Number(line.dataset.every) || EVERY_MS);
  visit();
}
