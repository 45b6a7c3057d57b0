/** 全选 and the count of chosen rows: data-check-all="<name of the boxes>", data-chosen-count with data-words="… {n} …". */

const all = document.querySelector("[data-check-all]");
const count = document.querySelector("[data-chosen-count]");

if (all) {
  const boxes = [...document.querySelectorAll(`input[name="${CSS.escape(all.dataset.checkAll)}"]`)];
  const tell = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    count.hidden = chosen === 0;
    count.textContent = count.dataset.words.replace("{n}", String(chosen));
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  tell();
}
