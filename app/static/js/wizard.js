/**
 * Filling in without losing anything. Every field saves itself when it is left (htmx, see fields.html); this module
 * keeps what was typed in the tab until it is saved, tries again by itself, says how the save stands, never replaces a
 * field in which somebody is typing, and moves the focus to a row that has just come.
 */

const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];
const LEAVE_MS = 4000;
const LATE_MS = 400;
const running = new Set();
const tries = new Map();

const form = () => document.querySelector("form[data-wizard]");
const boxOf = (element) => element?.closest?.(".sb-field[data-path]");
const storeKey = () => `wizard:${location.pathname}`;

function readStore() {
  try {
    return JSON.parse(sessionStorage.getItem(storeKey())) || {};
  } catch {
    return {};
  }
}

function writeStore(store) {
  try {
    if (Object.keys(store).length) sessionStorage.setItem(storeKey(), JSON.stringify(store));
    else sessionStorage.removeItem(storeKey());
  } catch {
    // A full or forbidden store only means that a closed tab is not remembered.
  }
}

function values(name) {
  return form() ? new FormData(form()).getAll(name) : [];
}

function lines(texts) {
  return JSON.stringify(texts.map((text) => String(text).replaceAll("\r\n", "\n")).filter((text) => text !== ""));
}

function isDirty(box) {
  return lines(values(box.dataset.path)) !== lines(values(`base:${box.dataset.path}`));
}

/* 1 What was typed stays in the tab until it is saved. ------------------------------------------------------------- */

document.addEventListener("input", (event) => {
  const box = boxOf(event.target);
  if (!box || !form()?.contains(box)) return;
  const name = box.dataset.path;
  const store = readStore();
  store[name] = { values: values(name), bases: values(`base:${name}`) };
  writeStore(store);
});

/* A field that was redrawn a moment ago may not be listening yet: what is still unsaved after a while is saved then. */

document.addEventListener("change", (event) => {
  const box = event.isTrusted && boxOf(event.target);
  if (!box || !form()?.contains(box)) return;
  setTimeout(() => {
    const now = document.getElementById(box.id);
    // Where two texts stand, the person chooses; saving again by itself would choose for them.
    if (now && !now.querySelector("[name=deed]") && isDirty(now) && !running.has(now.id) && !tries.has(now.id)) htmx.trigger(now, "change");
  }, LATE_MS);
});

function forget(box) {
  const store = readStore();
  delete store[box.dataset.path];
  writeStore(store);
}

function put(box, name, kept) {
  for (const control of box.querySelectorAll("input, select, textarea")) {
    if (control.name === `base:${name}`) control.value = kept.bases[0] ?? "";
    else if (control.type === "radio" || control.type === "checkbox") control.checked = kept.values.includes(control.value);
    else if (control.name === name) control.value = kept.values[0] ?? "";
  }
}

function bringBack() {
  if (!form() || form().dataset.kept) return;
  let count = 0;
  for (const [name, kept] of Object.entries(readStore())) {
    const box = document.querySelector(`.sb-field[data-path="${CSS.escape(name)}"][hx-post]`);
    if (!box || lines(values(name)) === lines(kept.values)) {
      if (box) forget(box);
      continue;
    }
    put(box, name, kept);
    box.closest("details")?.setAttribute("open", "");
    count += 1;
    htmx.trigger(box, "change");
  }
  if (count) showState("busy", form().dataset.back);
}

/* 2 How the save stands. ------------------------------------------------------------------------------------------- */

function showState(state, words) {
  const mark = document.getElementById("saved");
  if (!mark) return;
  mark.dataset.state = state;
  const icon = mark.querySelector(".i");
  mark.replaceChildren(...(icon ? [icon] : []), words);
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const box = boxOf(event.detail.elt);
  if (!box || !form()) return;
  running.add(box.id);
  showState("busy", form().dataset.saving);
});

function failed(event) {
  const box = boxOf(event.detail.requestConfig?.elt);
  if (!box || !form()) return;
  showState("wait", form().dataset.waiting);
  const status = event.detail.xhr?.status || 0;
  if (status && status < 500) return;
  const count = tries.get(box.id) || 0;
  tries.set(box.id, count + 1);
  setTimeout(() => {
    const now = document.getElementById(box.id);
    if (now && tries.has(box.id)) htmx.trigger(now, "change");
  }, RETRY_MS[Math.min(count, RETRY_MS.length - 1)]);
}

document.addEventListener("htmx:sendError", failed);
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:timeout", failed);

document.addEventListener("htmx:afterRequest", (event) => {
  const box = boxOf(event.detail.requestConfig?.elt);
  if (!box) return;
  running.delete(box.id);
  if (!event.detail.successful || !event.detail.xhr.responseText.includes("field-")) return;
  tries.delete(box.id);
  const now = document.getElementById(box.id);
  if (!now || !isDirty(now)) forget(box);
});

/* 3 A field in which somebody is typing is not replaced; neither is a part that holds the focus. ----------------------- */

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const target = event.detail.target;
  // What was changed here and is not saved yet would be lost with the old answer's picture of it; its own save redraws it.
  const boxes = target.matches(".sb-field") ? [target] : [...target.querySelectorAll(".sb-field")];
  const kept = readStore();
  if (boxes.some((box) => running.has(box.id) || box.dataset.path in kept)) {
    event.detail.shouldSwap = false;
    return;
  }
  // Nor is a list of choices replaced under somebody's hands: it would close. A text that only has the focus may follow.
  const active = document.activeElement;
  if (active.tagName === "SELECT" && target.contains(active)) event.detail.shouldSwap = false;
});

/* 4 Row buttons replace the wizard; an answer without one is said and changes nothing. --------------------------------- */

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (target?.id !== "wizard" || /\bid="wizard"/.test(xhr.responseText)) return;
  event.detail.shouldSwap = false;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const words = [...page.querySelectorAll("main h1, main h1 + p")].map((part) => part.textContent.trim()).join("：");
  const note = document.createElement("div");
  note.className = "sb-note";
  note.dataset.tone = "bad";
  note.setAttribute("role", "alert");
  const icon = document.createElement("i");
  icon.className = "i i-alert";
  icon.setAttribute("aria-hidden", "true");
  const body = document.createElement("div");
  body.textContent = words;
  note.append(icon, body);
  document.getElementById("toasts").append(note);
});

function arrive(scope) {
  const place = scope.matches?.("[data-arrive]") ? scope : scope.querySelector?.("[data-arrive]");
  if (!place) return;
  const own = place.dataset.arrive === "self";
  const target = own ? place : place.querySelector(".sb-field input:not([type=hidden]), .sb-field select, .sb-field textarea, a");
  place.removeAttribute("data-arrive");
  place.scrollIntoView({ block: own ? "center" : "start" });
  target?.focus({ preventScroll: own });
}

document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt.id === "wizard") arrive(event.detail.elt);
});

/* 5 Links and the Enter key. ------------------------------------------------------------------------------------------- */

document.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("data-enter")) {
    // Enter has already fired the field's change, which saves it; the page stays where it is.
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[href]");
  const plain = link && !link.target && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.defaultPrevented;
  if (!plain || !running.size || link.pathname === location.pathname) return;
  event.preventDefault();
  const end = Date.now() + LEAVE_MS;
  while (running.size && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
  location.assign(link.href);
});

/** A link to a field inside a folded row opens the row. */
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = target && target.closest("details:not([open])");
  if (fold) {
    fold.open = true;
    target.scrollIntoView({ block: "center" });
  }
  if (target && target.matches(".sb-field")) target.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

window.addEventListener("hashchange", () => setTimeout(unfold));
if (form()) {
  // After loading: htmx has bound its elements, and the browser has moved to the address's anchor, which takes the focus.
  const begin = () => setTimeout(() => {
    arrive(document);
    unfold();
    bringBack();
  });
  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin);
}
