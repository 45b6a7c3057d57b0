/**
 * Registration and sign-in: moves the piece of the puzzle, plays the digits, counts down until a code can be sent
 * again, ticks off the rules of a new password. All of it is repeated by the server; without this file the forms work.
 */

const FRESH_TIMES = 5;
let renewed = 0;
let timers = [];

function movePiece(slide) {
  const piece = document.querySelector(`[data-piece="${slide.id}"]`);
  if (piece) piece.setAttribute("x", slide.value);
}

/** A puzzle lives two minutes; one that nobody has touched is exchanged shortly before. */
function keepFresh(puzzle) {
  timers.push(setTimeout(() => {
    const answer = puzzle.querySelector("[name=answer]");
    const untouched = answer && (answer.type === "range" ? answer.value === "0" : answer.value === "");
    if (!puzzle.isConnected || !untouched || document.hidden || puzzle.contains(document.activeElement)) return;
    if (renewed++ < FRESH_TIMES) puzzle.querySelector("[data-another]").click();
  }, Number(puzzle.dataset.challenge) * 1000));
}

function countDown(place) {
  const button = place.closest(".sb-field").querySelector("button");
  const end = Date.now() + Number(place.dataset.wait) * 1000;
  button.disabled = true;
  const timer = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1000);
    place.textContent = left > 0 ? place.dataset.words.replace("{n}", String(left)) : "";
    if (left > 0) return;
    clearInterval(timer);
    button.disabled = false;
  }, 1000);
  timers.push(timer);
}

function kindOf(character) {
  if (/[a-z]/i.test(character)) return "letter";
  if (/\p{Nd}/u.test(character)) return "digit";
  return /\p{L}/u.test(character) ? "han" : "symbol";
}

function ownWords(form) {
  const typed = ["username", "phone"].map((name) => form.elements[name] && form.elements[name].value.trim());
  return [...typed, ...(form.dataset.own || "").split(" ")].filter((word) => word && word.length >= 3);
}

function isMet(rule, password, form) {
  const least = Number(rule.dataset.least);
  const characters = [...password];
  if (rule.dataset.rule === "length") return characters.length >= least && characters.length <= 64;
  if (rule.dataset.rule === "classes") return new Set(characters.map(kindOf)).size >= least;
  const folded = password.normalize("NFKC").toLowerCase();
  return password !== "" && !ownWords(form).some((word) => folded.includes(word.toLowerCase()));
}

function checkRules(list) {
  const input = document.getElementById(list.dataset.rules);
  for (const rule of list.querySelectorAll("[data-rule]")) {
    const met = isMet(rule, input.value, input.form);
    if (met) rule.dataset.state = "done";
    else delete rule.dataset.state;
    rule.querySelector(".visually-hidden").textContent = met ? list.dataset.met : list.dataset.unmet;
  }
}

function arrive(scope) {
  if (scope.querySelector(".sb-puzzle, [data-wait]") || scope.matches?.(".sb-puzzle")) {
    timers.forEach(clearTimeout);
    timers = [];
  }
  document.querySelectorAll(".sb-puzzle[data-challenge]").forEach((puzzle) => {
    if (puzzle.dataset.watched) return;
    puzzle.dataset.watched = "1";
    keepFresh(puzzle);
  });
  scope.querySelectorAll(".sb-slide").forEach(movePiece);
  scope.querySelectorAll("[data-wait]").forEach(countDown);
  scope.querySelectorAll("[data-rules]").forEach(checkRules);
}

document.addEventListener("input", (event) => {
  if (event.target.matches(".sb-slide")) movePiece(event.target);
  document.querySelectorAll("[data-rules]").forEach(checkRules);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-sound]");
  if (!link) return;
  event.preventDefault();
  new Audio(link.href).play().catch(() => window.open(link.href));
});

document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) arrive(event.detail.elt);
});
arrive(document);
