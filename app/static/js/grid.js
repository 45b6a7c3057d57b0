/** Grids: the comparison of a filter names its input, empty filters stay out of the address, boxes are counted. */

for (const form of document.querySelectorAll("form[data-filter]")) {
  form.addEventListener("change", (event) => {
    const way = event.target.closest("[data-way]");
    if (!way) return;
    const input = document.getElementById(way.dataset.way);
    // A picker posts what is chosen in a hidden input beside the one that is typed in.
    (input.closest("[data-picker]")?.querySelector("input[type=hidden]") || input).name = way.value;
  });
  form.addEventListener("submit", () => {
    for (const input of form.querySelectorAll("[name]")) input.disabled = !input.value;
  });
  window.addEventListener("pageshow", () => {
    for (const input of form.querySelectorAll("[name]")) input.disabled = false;
  });
}

for (const form of document.querySelectorAll("form[data-grid]")) {
  const all = form.querySelector("[data-pick-all]");
  const words = form.querySelector("[data-picked]");
  if (!all || !words) continue;
  const none = words.textContent;
  const boxes = [...form.querySelectorAll("input[name=rowid]")];
  const count = () => {
    const picked = boxes.filter((box) => box.checked).length;
    words.textContent = picked ? words.dataset.picked.replace("{n}", picked) : none;
    all.checked = picked === boxes.length;
    all.indeterminate = picked > 0 && picked < boxes.length;
  };
  all.hidden = false;
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
  form.addEventListener("change", count);
  count();
}
