/** Live counters: data-counter names the input, data-max its limit. Characters are counted as the server counts them. */

function recount(counter) {
  const input = document.getElementById(counter.dataset.counter);
  if (!input) return;
  const now = [...input.value.trim()].length;
  const max = Number(counter.dataset.max);
  counter.textContent = `${now} / ${max}`;
  counter.classList.toggle("bad", now > max);
}

document.addEventListener("input", (event) => {
  if (!event.target.id) return;
  const counter = document.querySelector(`[data-counter="${CSS.escape(event.target.id)}"]`);
  if (counter) recount(counter);
});
