/**
 * A text input that takes a code becomes a combobox: it asks data-source?q=… for at most 20 matches, shows names, posts
 * the code. Text that matches nothing stays and is posted as it is, so that the server can say what is wrong with it.
 * Keys: down and up move, Enter takes, Escape closes. Works again after a part of the page was replaced.
 */

const WAIT_MS = 150;
let serial = 0;

class Picker {
  constructor(box) {
    this.box = box;
    this.input = box.querySelector("input");
    this.items = [];
    this.at = -1;
    this.build();
    this.listen();
  }

  build() {
    const { box, input } = this;
    this.code = document.createElement("input");
    this.code.type = "hidden";
    this.code.name = input.name;
    this.code.value = input.value;
    this.list = document.createElement("ul");
    this.list.id = `${input.id}-list-${++serial}`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", document.querySelector(`label[for="${CSS.escape(input.id)}"]`)?.textContent.trim() || "");
    this.list.hidden = true;
    this.state = document.createElement("span");
    this.state.className = "visually-hidden";
    this.state.setAttribute("role", "status");
    input.removeAttribute("name");
    input.removeAttribute("list");
    if (box.dataset.text) input.value = box.dataset.text;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", this.list.id);
    box.append(this.code, this.list, this.state);
  }

  listen() {
    this.input.addEventListener("input", () => {
      this.code.value = this.input.value.trim();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), WAIT_MS);
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.take(Number(option.dataset.at));
    });
    // A name typed in full is as good as a choice; must run before the change reaches the field around it.
    this.input.addEventListener("change", () => {
      const typed = this.input.value.trim();
      const match = this.items.filter((item) => [item.label, item.path, item.code].includes(typed));
      if (match.length === 1) this.code.value = match[0].code;
    });
  }

  async search() {
    const text = this.input.value.trim();
    this.asked?.abort();
    if (!text) return this.close();
    this.asked = new AbortController();
    const glue = this.box.dataset.source.includes("?") ? "&" : "?";
    try {
      const answer = await fetch(`${this.box.dataset.source}${glue}q=${encodeURIComponent(text)}`,
        { credentials: "same-origin", headers: { Accept: "application/json" }, signal: this.asked.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      this.show((await answer.json()).items);
    } catch (reason) {
      if (reason.name !== "AbortError") this.show([], this.box.dataset.away);
    }
  }

  show(items, message) {
    if (!this.input.isConnected || document.activeElement !== this.input) return;
    this.items = items;
    this.at = -1;
    this.list.replaceChildren(...items.map((item, at) => this.option(item, at)));
    const words = message || (items.length ? this.box.dataset.some.replace("{n}", items.length) : this.box.dataset.none);
    this.state.textContent = words;
    if (!items.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.textContent = words;
      this.list.replaceChildren(none);
    }
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
  }

  option(item, at) {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${at}`;
    option.dataset.at = at;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.append(item.label);
    if (item.path && item.path !== item.label) {
      const path = document.createElement("small");
      path.textContent = item.path;
      option.append(path);
    }
    return option;
  }

  key(event) {
    if (event.key === "Escape") return this.close();
    if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      if (this.at >= 0) this.take(this.at);
      return undefined;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return undefined;
    event.preventDefault();
    if (this.list.hidden) return this.search();
    const step = event.key === "ArrowDown" ? 1 : -1;
    // Up from the input itself is the last one.
    const from = this.at < 0 && step < 0 ? 0 : this.at;
    return this.mark((from + step + this.items.length) % this.items.length);
  }

  mark(at) {
    if (!this.items.length) return;
    this.at = at;
    [...this.list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    this.list.children[at].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", this.list.children[at].id);
  }

  take(at) {
    const item = this.items[at];
    if (!item) return;
    this.code.value = item.code;
    this.input.value = item.path || item.label;
    this.close();
    this.code.dispatchEvent(new Event("change", { bubbles: true }));
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

function enhance(scope) {
  const boxes = [...scope.querySelectorAll("[data-picker]")];
  if (scope.matches?.("[data-picker]")) boxes.push(scope);
  for (const box of boxes) {
    if (box.dataset.ready) continue;
    box.dataset.ready = "1";
    new Picker(box);
  }
}

document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));
enhance(document);
