/* Completes a query while it is written: the server says what may come next. Without this script it is a plain text field. */
(function () {
  "use strict";
  const root = document.querySelector("[data-query]");
  if (!root) return;
  const text = root.querySelector("textarea"), box = document.createElement("ul");
  const token = root.closest("form").querySelector("[name=csrfmiddlewaretoken]");
  let asked = 0, active = -1, start = 0;
  Object.assign(box, { className: "choices", id: "suggestions", hidden: true });
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", "What may come next");
  root.append(box);
  text.setAttribute("aria-autocomplete", "list");
  text.setAttribute("aria-controls", box.id);

  function hide() {
    box.hidden = true;
    active = -1;
    text.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    active = (index + box.children.length) % box.children.length;
    Array.from(box.children).forEach((el, i) => el.setAttribute("aria-selected", String(i === active)));
    box.children[active].scrollIntoView({ block: "nearest" });
    text.setAttribute("aria-activedescendant", box.children[active].id);
  }

  /* What is chosen is counted, but nothing is suggested after it before one writes on. */
  function choose(option) {
    text.setRangeText(option.textContent + " ", start, text.selectionStart, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
    asked += 1;
    hide();
  }

  function option(item, index) {
    const el = Object.assign(document.createElement("li"), { id: "suggestion-" + index, textContent: item });
    el.setAttribute("role", "option");
    el.setAttribute("aria-selected", "false");
    return el;
  }

  /* Only the answer to the latest question counts. */
  async function suggest() {
    const mine = asked += 1;
    const body = JSON.stringify({ query: text.value, position: text.selectionStart });
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token.value };
    const answer = await fetch(root.dataset.query, { method: "POST", body, headers }).catch(() => null);
    if (mine !== asked || !answer || !answer.ok) return;
    const found = await answer.json();
    if (mine !== asked) return;
    start = found.start;
    const typed = text.value.slice(start, text.selectionStart);
    const items = found.items.filter((item) => item !== typed);
    box.replaceChildren(...items.map(option));
    if (!items.length || document.activeElement !== text) { hide(); return; }
    active = -1;
    box.hidden = false;
  }

  text.addEventListener("input", suggest);
  text.addEventListener("blur", () => { asked += 1; hide(); });
  text.addEventListener("keydown", (e) => {
    if (e.isComposing) return;
    if (box.hidden) {
      if (e.key === " " && e.ctrlKey) { suggest(); e.preventDefault(); }
      return;
    }
    if (e.key === "ArrowDown") { mark(active + 1); e.preventDefault(); }
    else if (e.key === "ArrowUp") { mark(active < 0 ? -1 : active - 1); e.preventDefault(); }
    else if (e.key === "Escape") { hide(); e.preventDefault(); e.stopPropagation(); }
    else if ((e.key === "Enter" || e.key === "Tab") && active >= 0) { choose(box.children[active]); e.preventDefault(); }
  });
  box.addEventListener("mousedown", (e) => e.preventDefault());
  box.addEventListener("click", (e) => { const el = e.target.closest("[role=option]"); if (el) choose(el); });
})();
