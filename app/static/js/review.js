/**
 * Comforts of the review page; everything works without them.
 * The button says what it will do, papers change in place, opinions are picked, scores add up, keys lead through the queue.
 */

const form = document.getElementById("decision");
const button = document.getElementById("decide");

// -- the decision -----------------------------------------------------------------------------------------------------

const phrases = form && form.querySelector(".sb-phrases");

/** The button carries the words of the chosen decision; only its opinions are offered. */
function follow() {
  const chosen = form.querySelector("input[name=action]:checked");
  if (chosen && !button.dataset.words) button.textContent = chosen.dataset.button;
  if (!phrases) return;
  const items = [...phrases.querySelectorAll("li")];
  for (const item of items) item.hidden = !chosen || item.dataset.for !== chosen.value;
  phrases.hidden = items.every((item) => item.hidden);
}

if (form) {
  form.addEventListener("change", follow);
  document.addEventListener("htmx:afterSettle", follow);
  document.addEventListener("htmx:oobAfterSwap", follow);
  follow();
}

if (phrases) {
  const opinion = form.elements.opinion;
  phrases.addEventListener("click", (event) => {
    const pick = event.target.closest("li > button");
    if (!pick) return;
    // What was typed stays; what was picked is put behind it.
    const typed = opinion.value.trim();
    if (!typed.includes(pick.textContent)) opinion.value = typed + pick.textContent;
    phrases.open = false;
    opinion.focus();
  });
  document.addEventListener("click", (event) => {
    if (!phrases.contains(event.target)) phrases.open = false;
  });
  phrases.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    phrases.open = false;
    phrases.querySelector("summary").focus();
  });
}

const allPoints = document.querySelector("[data-all-points]");
if (allPoints) {
  const points = () => [...document.querySelectorAll("#points input[name=check]")];
  allPoints.hidden = false;
  allPoints.addEventListener("click", () => {
    for (const point of points()) point.checked = true;
  });
}

// -- papers -------------------------------------------------------------------------------------------------------------

/** Another paper without leaving the place where one reads. The link works by itself, too. */
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-paper]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const inside = link.closest("#papers");
  try {
    const answer = await fetch(link.href, { credentials: "same-origin", headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("papers");
    document.getElementById("papers").replaceWith(document.importNode(fresh, true));
    const now = document.getElementById("papers");
    htmx.process(now);
    if (inside) now.querySelector(".sb-tabs [aria-current]").focus();
    else if (now.getBoundingClientRect().top > innerHeight) now.scrollIntoView();
    history.replaceState(null, "", link.href.replace(/#.*$/, ""));
  } catch {
    location.href = link.href;
  }
});

/** The paper before or after the open one; after the last comes the first. */
function turn(step) {
  const tabs = [...document.querySelectorAll("#papers .sb-tabs a")];
  const at = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
  if (tabs.length > 1) tabs[(at + step + tabs.length) % tabs.length].click();
}

// -- places -------------------------------------------------------------------------------------------------------------

/** A link to an answer opens the folds around it. */
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  const inner = target.querySelector(":scope > details");
  if (inner) inner.open = true;
  target.scrollIntoView();
}
window.addEventListener("hashchange", unfold);
unfold();

const scores = document.querySelector("form[data-scores]");
if (scores) {
  const add = () => {
    const typed = [...scores.querySelectorAll("input[name^='points.']")].map((input) => input.value.trim());
    const given = typed.filter((text) => text !== "" && !Number.isNaN(Number(text)));
    const total = given.reduce((sum, text) => sum + Number(text), 0);
    scores.querySelector("[data-total]").textContent = given.length ? String(Math.round(total * 10) / 10) : "—";
  };
  scores.addEventListener("input", add);
  add();
}

// -- keys ---------------------------------------------------------------------------------------------------------------

const SWITCH = "shenbao.review.keys";
const keys = document.getElementById("keys");
const PLACE = "dd, td, tr, .sb-row, .sb-pager, .sb-card";

/** The way to write a remark on what is focused, else on what the mouse is over. */
function remarkHere() {
  for (const start of [document.activeElement, [...document.querySelectorAll(":hover")].pop()]) {
    for (let place = start && start.closest(PLACE); place; place = place.parentElement.closest(PLACE)) {
      const link = place.querySelector(".sb-write");
      if (link) return link;
      if (place.matches(".sb-row, .sb-card")) break;
    }
  }
  return null;
}

function choose(number) {
  const choice = form && form.querySelectorAll("input[name=action]")[number - 1];
  if (!choice || choice.disabled) return;
  choice.checked = true;
  choice.focus();
  follow();
}

const DEEDS = {
  "?": () => keys && keys.showModal(),
  r: () => remarkHere()?.click(),
  p: () => turn(1),
  P: () => turn(-1),
  o: () => {
    if (!phrases || phrases.hidden) return;
    phrases.open = true;
    phrases.querySelector("li:not([hidden]) > button").focus();
  },
};
for (const number of [1, 2, 3, 4]) DEEDS[number] = () => choose(number);

function isOn() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

if (keys) {
  const on = document.getElementById("keys-on");
  on.checked = isOn();
  on.addEventListener("change", () => {
    try {
      localStorage.setItem(SWITCH, on.checked ? "on" : "off");
    } catch {
      // A browser that keeps nothing keeps the keys.
    }
  });
  const opener = document.querySelector("[data-keys]");
  opener.hidden = false;
  opener.addEventListener("click", () => keys.showModal());
}

/** Whether letters belong to what is being typed or chosen there. */
function isTyping(target) {
  return target.isContentEditable || target.closest("textarea, select, dialog, input:not([type=radio], [type=checkbox])");
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form && !event.target.closest(".sb-remark, #notes")) {
    return form.requestSubmit(button);
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target) || !isOn()) return;
  const deed = DEEDS[event.key] || DEEDS[event.key.toLowerCase()];
  const link = deed ? null : document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!deed && !link) return;
  event.preventDefault();
  if (deed) deed();
  else link.click();
});
