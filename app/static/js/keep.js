/**
 * Keeps what was typed while a save is refused. A stale token is renewed and the save repeated; an expired login or a
 * lost line is said once, the field is tried again when the line is back; leaving with unsaved fields asks first.
 */

const unsaved = new Set();
const words = document.body.dataset;
let said = null;

/** The field whose save an htmx event is about; the event itself may come from elsewhere once the field was replaced. */
function fieldOf(event) {
  return event.detail.requestConfig.elt.closest("[data-path]");
}

function say(text, link) {
  if (said && said.isConnected) said.remove();
  said = document.createElement("div");
  said.className = "sb-note";
  said.dataset.tone = "bad";
  said.setAttribute("role", "alert");
  const icon = document.createElement("i");
  icon.className = "i i-alert";
  icon.setAttribute("aria-hidden", "true");
  const body = document.createElement("div");
  body.textContent = text;
  if (link) {
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.target = "_blank";
    anchor.textContent = words.relogin;
    body.append(" ", anchor);
  }
  said.append(icon, body);
  document.getElementById("toasts").append(said);
}

function sayNothing() {
  if (said) said.remove();
  said = null;
}

/** Title and sentence of a page that says why something may not be done. */
function pageWords(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  return [...page.querySelectorAll("main h1, main h1 + p")].map((part) => part.textContent.trim()).join("：");
}

function isLogin(url) {
  return url && new URL(url, location.href).pathname === words.login;
}

/** Takes the token of a fresh copy of this page. Resolves to false if the login has expired or the line is down. */
async function renewToken() {
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || isLogin(answer.url)) return false;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const headers = fresh.body.getAttribute("hx-headers");
    if (!headers) return false;
    document.body.setAttribute("hx-headers", headers);
    const token = JSON.parse(headers)["X-CSRFToken"];
    for (const input of document.querySelectorAll("input[name=csrf_token]")) input.value = token;
    return true;
  } catch {
    return false;
  }
}

function tryAgain() {
  for (const element of unsaved) {
    if (element.isConnected) htmx.trigger(element, "change");
    else unsaved.delete(element);
  }
}

async function recover(element) {
  if (element.dataset.tried) return say(words.refused);
  element.dataset.tried = "1";
  if (await renewToken()) return tryAgain();
  say(words.expired, words.login);
}

document.addEventListener("htmx:responseError", (event) => {
  const field = fieldOf(event);
  if (field) unsaved.add(field);
  const status = event.detail.xhr.status;
  const refusal = status === 403 && pageWords(event.detail.xhr.responseText);
  if (refusal) return say(refusal);
  if (field && (status === 400 || status === 401 || status === 403)) return recover(field);
  say(words.refused);
});

document.addEventListener("htmx:sendError", (event) => {
  const field = fieldOf(event);
  if (field) unsaved.add(field);
  say(words.offline);
});

/** A field in which somebody goes on typing is not replaced: it only takes the base of what was saved. */
function keepTyping(detail) {
  const active = document.activeElement;
  if (!detail.target.matches(".sb-field") || !detail.target.contains(active) || !active.name) return;
  const sent = detail.requestConfig.parameters;
  const before = sent instanceof FormData ? sent.get(active.name) : sent[active.name];
  if (!["text", "textarea"].includes(active.type) || before === null || before === active.value) return;
  const fresh = new DOMParser().parseFromString(detail.serverResponse, "text/html");
  const base = `base:${active.name}`;
  const [now, next] = [detail.target, fresh].map((scope) => scope.querySelector(`input[name="${CSS.escape(base)}"]`));
  if (now && next) now.value = next.value;
  detail.shouldSwap = false;
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (isLogin(event.detail.xhr.responseURL)) {
    event.detail.shouldSwap = false;
    const field = fieldOf(event);
    if (field) unsaved.add(field);
    return say(words.expired, words.login);
  }
  keepTyping(event.detail);
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful || isLogin(event.detail.xhr.responseURL)) return;
  const field = fieldOf(event);
  if (field) {
    unsaved.delete(field);
    delete field.dataset.tried;
  }
  if (!unsaved.size) sayNothing();
});

window.addEventListener("online", tryAgain);
window.addEventListener("focus", async () => {
  if (unsaved.size && (await renewToken())) tryAgain();
});
window.addEventListener("beforeunload", (event) => {
  if ([...unsaved].some((element) => element.isConnected)) event.preventDefault();
});
