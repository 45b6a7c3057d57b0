/**
 * Uploads with progress, cancel, retry and dragging, for every form[data-upload]; without this file the form posts as
 * it is. The words are attributes of the form (templates/attachment/parts.html), so nothing here is in a language.
 */

const MEGABYTE = 1048576;

function token(form) {
  const headers = document.body.getAttribute("hx-headers");
  return headers ? JSON.parse(headers)["X-CSRFToken"] : form.querySelector("input[name=csrf_token]").value;
}

function element(tag, attributes, text) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

/** The row that stands for one file on its way. */
function makeRow(form, file) {
  const row = element("div", { class: "sb-att", role: "group", "aria-label": file.name });
  const body = element("div", {}, file.name);
  const bar = element("progress", { class: "my-2", max: "100", value: "0", "aria-label": form.dataset.progress });
  const words = element("div", { class: "mute small", role: "status" });
  const acts = element("div", { class: "acts" });
  body.append(bar, words);
  row.append(element("i", { class: "i i-file", "aria-hidden": "true" }), body, acts);
  form.querySelector("[data-upload-row]")?.remove();
  row.dataset.uploadRow = "";
  form.append(row);
  return { row, bar, words, acts };
}

function act(part, label, action) {
  const button = element("button", { type: "button", class: "btn btn-sm btn-text" }, label);
  button.addEventListener("click", action);
  part.acts.replaceChildren(button);
  return button;
}

function tell(part, text) {
  part.words.replaceChildren();
  part.words.className = "mute small";
  part.words.textContent = text;
}

function refuse(form, part, text, again) {
  part.bar.remove();
  part.words.className = "sb-error";
  part.words.replaceChildren(element("i", { class: "i i-alert", "aria-hidden": "true" }), document.createTextNode(text));
  part.acts.replaceChildren();
  if (again) act(part, form.dataset.retry, again).focus();
  busy(form, false);
}

/** One file at a time for each form. */
function busy(form, on) {
  form.dataset.uploading = on ? "1" : "";
  for (const input of form.querySelectorAll("input[type=file]")) {
    input.disabled = on;
    if (!on) input.value = "";
  }
}

function showProgress(form, part, event, started) {
  const seconds = (performance.now() - started) / 1000;
  const left = event.loaded ? Math.ceil((event.total - event.loaded) / (event.loaded / Math.max(seconds, 0.1))) : 0;
  part.bar.value = (event.loaded / event.total) * 100;
  const megabytes = (bytes) => (bytes / MEGABYTE).toFixed(1);
  const words = form.dataset.sending;
  tell(part, words.replace("{sent}", megabytes(event.loaded)).replace("{all}", megabytes(event.total)).replace("{left}", left));
}

function finish(form, part, request, again) {
  if (request.status === 201) {
    part.acts.replaceChildren();
    tell(part, form.dataset.done);
    form.dataset.uploading = "";
    location.reload();
    return;
  }
  if (request.status === 401) return refuse(form, part, form.dataset.expired, again);
  let said = "";
  try {
    said = JSON.parse(request.responseText).message;
  } catch {
    said = request.status === 413 ? form.dataset.tooLarge : form.dataset.refused;
  }
  refuse(form, part, said || form.dataset.refused, request.status >= 500 ? again : null);
}

function send(form, file) {
  const part = makeRow(form, file);
  const again = () => send(form, file);
  if (!file.size) return refuse(form, part, form.dataset.empty);
  if (file.size >= Number(form.dataset.limit)) return refuse(form, part, form.dataset.tooLarge);
  busy(form, true);
  const request = new XMLHttpRequest();
  const started = performance.now();
  request.open("PUT", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-CSRFToken", token(form));
  request.setRequestHeader("X-Filename", encodeURIComponent(file.name));
  request.upload.addEventListener("progress", (event) => showProgress(form, part, event, started));
  request.upload.addEventListener("load", () => {
    part.bar.removeAttribute("value");
    tell(part, form.dataset.checking);
  });
  request.addEventListener("load", () => finish(form, part, request, again));
  request.addEventListener("error", () => refuse(form, part, form.dataset.lost, again));
  request.addEventListener("abort", () => refuse(form, part, form.dataset.cancelled, again));
  act(part, form.dataset.cancel, () => request.abort());
  request.send(file);
}

function enhance(form) {
  const plain = form.querySelector("[data-upload-plain]") || form.querySelector("button:not([type=button])");
  if (plain) plain.hidden = true;
  form.addEventListener("change", (event) => {
    const file = event.target.type === "file" && event.target.files[0];
    if (file && !form.dataset.uploading) send(form, file);
  });
  const area = form.closest(".sb-card") || form;
  for (const name of ["dragenter", "dragover"]) {
    area.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      area.classList.add("focus");
    });
  }
  area.addEventListener("dragleave", () => area.classList.remove("focus"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("focus");
    const file = event.dataTransfer.files[0];
    if (file && !form.dataset.uploading) send(form, file);
  });
}

for (const form of document.querySelectorAll("form[data-upload]")) enhance(form);
window.addEventListener("beforeunload", (event) => {
  const forms = [...document.querySelectorAll("form[data-upload]")];
  if (forms.some((form) => form.dataset.uploading)) event.preventDefault();
});
