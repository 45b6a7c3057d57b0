/**
 * Small comforts on every page. Each of them stands on a plain link, button or form that works without this file.
 * data-focus            takes the focus when it appears (error summaries)
 * data-toast            moves to the corner and leaves after five seconds
 * data-confirm          asks before a button acts; data-confirm-yes is the word on the button that goes on
 * data-busy             words of a submit button while its form is on the way
 * data-show-password    button that shows the password field it names
 * data-exclusive        a choice that clears the others of its group
 */

const root = document.documentElement;
const TOAST_MS = 5000;
const BUSY_MS = 20000;
root.classList.add("js");

function focusFirst(scope) {
  const target = scope.querySelector("[data-focus]");
  if (target) target.focus();
}

function liftToasts(scope) {
  const corner = document.getElementById("toasts");
  for (const toast of scope.querySelectorAll("[data-toast]")) {
    corner.append(toast);
    toast.removeAttribute("data-toast");
    let leave = setTimeout(() => toast.remove(), TOAST_MS);
    toast.addEventListener("mouseenter", () => clearTimeout(leave));
    toast.addEventListener("focusin", () => clearTimeout(leave));
    toast.addEventListener("mouseleave", () => { leave = setTimeout(() => toast.remove(), TOAST_MS); });
  }
}

function showPasswordButtons(scope) {
  for (const button of scope.querySelectorAll("button[data-show-password]")) button.hidden = false;
}

/** Everything that must be looked at again when a part of the page was replaced. */
function arrive(scope) {
  focusFirst(scope);
  liftToasts(scope);
  showPasswordButtons(scope);
}

function askFirst(button) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("h2").textContent = button.dataset.confirm;
  dialog.querySelector(".btn-primary").textContent = button.dataset.confirmYes || button.textContent.trim();
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return button.focus();
    button.dataset.confirmed = "1";
    button.click();
    delete button.dataset.confirmed;
  }, { once: true });
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !button.dataset.confirmed) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return askFirst(button);
  }
  const eye = event.target.closest("button[data-show-password]");
  if (eye) {
    const input = document.getElementById(eye.dataset.showPassword);
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    eye.setAttribute("aria-pressed", String(!shown));
  }
}, true);

/** A form that is on its way is not sent twice. Its button keeps its width and says what is happening. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (event.defaultPrevented || form.method === "dialog" || form.method === "get") return;
  const button = event.submitter;
  form.dataset.sent = "1";
  if (button && button.dataset.busy) {
    button.style.minWidth = `${button.offsetWidth}px`;
    button.dataset.words = button.innerHTML;
    button.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
  }
  setTimeout(() => release(form), BUSY_MS);
});

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[data-words]")) {
    button.innerHTML = button.dataset.words;
    delete button.dataset.words;
    button.removeAttribute("aria-disabled");
  }
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.type !== "checkbox" || !box.checked || !box.closest(".sb-picks")) return;
  for (const other of box.closest(".sb-picks").querySelectorAll("input:checked")) {
    if (other !== box && (box.hasAttribute("data-exclusive") || other.hasAttribute("data-exclusive"))) other.checked = false;
  }
}, true);

document.addEventListener("htmx:load", (event) => arrive(event.detail.elt));
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest("form[data-sent]");
  if (form) release(form);
});
arrive(document);
