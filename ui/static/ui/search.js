/* Search boxes that offer choices below themselves while one types: comboboxes by the ARIA pattern. Without this script
   they are plain search boxes. */
(function () {
  "use strict";
  const MOST = 12;

  /* Moves through the options in `box` with the keyboard; `choose` gets the one that is taken. */
  function combobox(input, box, choose) {
    let active = -1;
    const options = () => Array.from(box.querySelectorAll("[role=option]"));
    const list = () => box.closest("[role=listbox]") || box.querySelector("[role=listbox]");

    function mark(index) {
      const all = options();
      active = all.length ? (index + all.length) % all.length : -1;
      all.forEach((el, i) => el.setAttribute("aria-selected", String(i === active)));
      if (all[active]) {
        all[active].scrollIntoView({ block: "nearest" });
        input.setAttribute("aria-activedescendant", all[active].id);
      }
    }
    function unmark() {
      active = -1;
      options().forEach((el) => el.setAttribute("aria-selected", "false"));
      input.removeAttribute("aria-activedescendant");
    }
    function hide() {
      box.hidden = true;
      unmark();
      input.setAttribute("aria-expanded", "false");
    }
    function show() {
      unmark();
      box.hidden = false;
      box.scrollTop = 0;
      const found = list();
      input.setAttribute("aria-expanded", String(Boolean(found)));
      if (found) input.setAttribute("aria-controls", found.id);
    }

    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("autocomplete", "off");
    input.addEventListener("blur", hide);
    input.addEventListener("keydown", (e) => {
      if (box.hidden || e.isComposing) return;
      if (e.key === "ArrowDown") { mark(active + 1); e.preventDefault(); }
      if (e.key === "ArrowUp") { mark(active < 0 ? -1 : active - 1); e.preventDefault(); }
      if (e.key === "Escape") { hide(); e.preventDefault(); e.stopPropagation(); }
      if (e.key === "Enter" && active >= 0) { choose(options()[active]); e.preventDefault(); }
    });
    /* A press would take the focus away, and so the choices. */
    box.addEventListener("mousedown", (e) => e.preventDefault());
    box.addEventListener("click", (e) => {
      const option = e.target.closest("[role=option]");
      if (option && !option.href) choose(option);
    });
    return { show, hide };
  }

  /* The box for everything: the server says what is found. */
  function find(input) {
    const box = document.getElementById(input.dataset.find);
    const control = combobox(input, box, (option) => location.assign(option.href));
    box.addEventListener("htmx:afterSwap", () => {
      if (box.textContent.trim() && document.activeElement === input) control.show(); else control.hide();
    });
    input.addEventListener("keydown", (e) => {
      if (e.key === "ArrowDown" && box.hidden && box.textContent.trim()) control.show();
    });
  }

  const TOKEN = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[!<>]=|!~|[=<>~(),]|[^\s=<>~!(),"']+|!/g;
  const VALUE_NEXT = /^(?:[=<>~]|[!<>]=|!~|startswith|endswith)$/i;

  /* What the grammar takes next, after each token that is complete: a field, an operator, a value, an item of a list,
     what comes after an item, or what joins conditions. */
  function step(state, token) {
    const word = token.toLowerCase();
    if (state.expects === "field") return word === "(" ? state : { expects: "operator", field: token, negated: false };
    if (state.expects === "operator") {
      if (word === "not") return { ...state, negated: true };
      if (word === "in") return { ...state, expects: "list" };
      return VALUE_NEXT.test(word) ? { ...state, expects: "value" } : { expects: "nothing" };
    }
    if (state.expects === "list") return word === "(" ? { ...state, expects: "item" } : { expects: "nothing" };
    if (state.expects === "item") return { ...state, expects: "after item" };
    if (state.expects === "after item") return word === "," ? { ...state, expects: "item" } : { expects: "join" };
    if (state.expects === "value") return { expects: "join" };
    if (state.expects === "join") return word === ")" ? state : { expects: /^(?:and|or)$/.test(word) ? "field" : "nothing" };
    return state;
  }

  /* What is expected where the caret stands, and the start of it that is there already. */
  function place(text) {
    let state = { expects: "field" };
    for (const { 0: token, index } of text.matchAll(TOKEN)) {
      const quoted = /^["']/.test(token);
      const closed = quoted && token.length > 1 && token.endsWith(token[0]);
      const open = quoted ? !closed : /[^\s=<>~!(),"']/.test(token);
      if (open && index + token.length === text.length) return { ...state, start: index, typed: token.replace(/^["']/, "") };
      state = step(state, token);
    }
    return { ...state, start: text.length, typed: "" };
  }

  const quote = (text) => '"' + text.replace(/(["\\])/g, "\\$1") + '"';

  /* What may be chosen there: the text that is put in, what is shown, and what it is. */
  function offers(at, fields) {
    const field = fields.find((each) => each.name === at.field);
    if (at.expects === "field") return fields.map((each) => ({ put: each.name + " ", shown: each.name, about: each.about }));
    if (at.expects === "join") return ["and", "or"].map((word) => ({ put: word + " ", shown: word, about: "" }));
    if (!field) return [];
    if (at.expects === "operator") {
      const fitting = field.operators.filter((each) => each.startsWith("not ") === at.negated || !at.negated);
      return fitting.map((each) => {
        const word = at.negated ? each.slice(4) : each;
        return { put: word + (/in$/.test(word) ? " (" : " "), shown: word, about: "" };
      });
    }
    if (at.expects === "value" || at.expects === "item") {
      return field.values.map((each) => ({ put: quote(each) + (at.expects === "item" ? "" : " "), shown: each, about: "" }));
    }
    return [];
  }

  /* Those that hold what is typed, the ones that begin with it first. */
  function fitting(all, typed) {
    const word = typed.toLowerCase();
    const where = (each) => each.shown.toLowerCase().indexOf(word);
    return all.filter((each) => where(each) >= 0 && each.shown !== typed)
      .sort((a, b) => Math.sign(where(a)) - Math.sign(where(b))).slice(0, MOST);
  }

  function option(choice, index, id) {
    const el = document.createElement("li");
    el.setAttribute("role", "option");
    el.setAttribute("aria-selected", "false");
    el.id = id + "-" + index;
    el.dataset.put = choice.put;
    const [name, about] = [document.createElement("span"), document.createElement("small")];
    name.textContent = choice.shown;
    about.textContent = choice.about;
    el.append(name, about);
    return el;
  }

  /* The box of a list: fields, operators and values of its search language. */
  function complete(input) {
    const box = document.createElement("ul");
    box.className = "choices";
    box.id = input.id + "-choices";
    box.hidden = true;
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", "What can be written here");
    input.after(box);
    let known = null;
    const load = () => (known = known || fetch(input.dataset.complete, { headers: { Accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : { fields: [] }), () => ({ fields: [] })));
    const control = combobox(input, box, (chosen) => {
      const caret = input.selectionStart;
      const at = place(input.value.slice(0, caret));
      input.setRangeText(chosen.dataset.put, at.start, caret, "end");
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    async function offer(asked) {
      const { fields } = await load();
      const at = place(input.value.slice(0, input.selectionStart));
      const found = at.typed || asked || at.start ? fitting(offers(at, fields), at.typed) : [];
      box.replaceChildren(...found.map((each, index) => option(each, index, box.id)));
      if (found.length && document.activeElement === input) control.show(); else control.hide();
    }
    input.addEventListener("focus", load);
    input.addEventListener("input", () => offer(false));
    input.addEventListener("keydown", (e) => {
      if (e.key === "ArrowDown" && box.hidden) { offer(true); e.preventDefault(); }
    });
  }

  /* What is wrong with a search came with the answer: say it of the box too. */
  document.addEventListener("htmx:afterRequest", () => {
    const input = document.querySelector("[data-complete]");
    const problem = document.getElementById(input ? input.id + "_error" : "");
    if (!problem) return;
    const wrong = Boolean(problem.textContent.trim());
    if (wrong) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", problem.id);
  });

  document.querySelectorAll("[data-find]").forEach(find);
  document.querySelectorAll("[data-complete]").forEach(complete);
})();
