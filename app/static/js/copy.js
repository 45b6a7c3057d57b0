/**
 * data-copy="id" on a button copies the value of the input it names and says so. Without scripts, or where the browser
 * gives no clipboard (plain http), the text can be selected by hand.
 */

for (const button of document.querySelectorAll("button[data-copy]")) {
  const input = document.getElementById(button.dataset.copy);
  input.addEventListener("focus", () => input.select());
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(input.value);
    button.textContent = button.dataset.copied;
  });
}
