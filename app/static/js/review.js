/**
 * Comforts of the review page; everything works without them.
 * The button says what it will do, papers change in place, scores add up, J / K go through the queue, Ctrl + Enter decides.
 */

const form = document.getElementById("decision");
const button = document.getElementById("decide");

function nameButton() {
  const chosen = form && form.querySelector("input[name=action]:checked");
  if (chosen && !button.dataset.words) button.textContent = chosen.dataset.button;
}

if (form) {
  form.addEventListener("change", nameButton);
  document.addEventListener("htmx:afterSettle", nameButton);
  document.addEventListener("htmx:oobAfterSwap", nameButton);
  nameButton();
}

/** Another paper without leaving the place where one reads. The link works by itself, too. */
document.addEventListener("click", async (event) => {
  const link = event.target.closest("#papers .sb-tabs a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  try {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("papers");
    const old = document.getElementById("papers");
    old.replaceWith(document.importNode(fresh, true));
    const now = document.getElementById("papers");
    htmx.process(now);
    now.querySelector(".sb-tabs [aria-current]").focus();
    history.replaceState(null, "", link.href);
  } catch {
    location.href = link.href;
  }
});

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

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form) return form.requestSubmit(button);
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const link = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (link) link.click();
});
