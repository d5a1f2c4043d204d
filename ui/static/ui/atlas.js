/* Behaviour of the components. Listeners sit on the document, so that they also serve what htmx loads later. */
(function () {
  "use strict";
  const all = (root, query) => Array.from(root.querySelectorAll(query));
  const on = (event, query, act) => document.addEventListener(event, (e) => {
    const el = e.target.closest && e.target.closest(query);
    if (el) act(el, e);
  });

  on("click", "[data-theme-toggle]", () => {
    const html = document.documentElement;
    const next = html.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    html.setAttribute("data-bs-theme", next);
    try { localStorage.setItem("atlas-theme", next); } catch (e) { /* the browser may keep nothing */ }
    document.dispatchEvent(new CustomEvent("atlas:theme"));
  });

  /* Counts and shares of a confusion matrix are both in the page; one of them shows. A browser may keep the choice when
     it comes back to a page, and a person may be faster than this script: so the choice is looked at here as well. */
  function showUnits(input) {
    const matrix = document.getElementById(input.dataset.units);
    const shares = input.value === "shares";
    all(matrix, "[data-counts]").forEach((el) => { el.hidden = shares; });
    all(matrix, "[data-shares]").forEach((el) => { el.hidden = !shares; });
  }
  on("change", "[data-units]", showUnits);
  window.addEventListener("pageshow", () => all(document, "[data-units]:checked").forEach(showUnits));

  /* htmx changes the address of a list, but not the links round it: those that take its filters along read them here. */
  on("click", "[data-with-query]", (link) => { link.search = location.search; });

  /* Where the browser offers no clipboard, as without encryption, what is selected is copied. */
  function copied(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("The browser does not copy."));
  }

  function say(button, word) {
    const place = button.querySelector("[data-copied]");
    const before = button.dataset.text === undefined ? place.textContent : button.dataset.text;
    button.dataset.text = before;
    place.textContent = word;
    setTimeout(() => { place.textContent = before; }, 2000);
  }

  on("click", "[data-copy]", (button) => {
    const source = document.getElementById(button.dataset.copy);
    const parts = all(source, "pre");
    const text = (parts.length ? parts : [source]).map((el) => el.textContent).join("\n");
    copied(text).then(() => say(button, "Copied"), () => say(button, "Not copied: select it by hand"));
  });
  on("click", "[data-copy-address]", (button) => {
    copied(location.href).then(() => say(button, "Copied"), () => say(button, "Not copied: copy the address by hand"));
  });

  document.addEventListener("keydown", (e) => {
    const field = document.querySelector("[data-shortcut]");
    const typing = /INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName);
    if (field && !typing && e.key === field.dataset.shortcut) { e.preventDefault(); field.focus(); }
  });

  /* Arrow keys lead from cell to cell, past those that lead nowhere. */
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  on("keydown", "[data-cells] td a", (link, e) => {
    const step = STEPS[e.key];
    if (!step || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    const rows = all(link.closest("[data-cells]"), "tbody tr");
    let [row, column] = [rows.indexOf(link.closest("tr")), link.closest("td").cellIndex];
    for (;;) {
      row += step[0];
      column += step[1];
      if (!rows[row] || column < 1 || column > link.closest("tr").cells.length - 1) return;
      const next = rows[row].cells[column] && rows[row].cells[column].querySelector("a");
      if (next) return next.focus();
    }
  });

  function clock() {
    const text = new Date().toLocaleString("en-GB", { timeZone: "UTC", day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
    all(document, "[data-clock]").forEach((el) => { el.textContent = text + " UTC"; });
  }

  /* A box that fits needs no tab stop; one that scrolls does. */
  const fit = new ResizeObserver((seen) => seen.forEach(({ target: el }) => {
    const scrolls = el.scrollWidth > el.clientWidth + 1 || el.scrollHeight > el.clientHeight + 1;
    const label = el.dataset.label || (el.dataset.label = el.getAttribute("aria-label"));
    const set = { tabindex: "0", role: "region", "aria-label": label };
    Object.keys(set).forEach((name) => (scrolls ? el.setAttribute(name, set[name]) : el.removeAttribute(name)));
  }));

  /* htmx sends this for the whole page first, then for each fragment that it puts in. */
  document.addEventListener("htmx:load", ({ target }) => {
    all(target, ".table-wrap").forEach((el) => fit.observe(el));
    all(target, ".timeline, .matrix").forEach((el) => { el.scrollLeft = el.scrollWidth; });
  });

  /* Addresses stay short: a filter that is not set is not sent. */
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    Object.keys(detail.parameters).forEach((name) => { if (detail.parameters[name] === "") delete detail.parameters[name]; });
  });

  /* A mark of a chart that stands for an event leads to the event's page. */
  document.addEventListener("atlas:event", ({ target, detail }) => {
    const el = target.closest("[data-events]");
    if (el) location.assign(el.dataset.events + encodeURIComponent(detail.event) + "/");
  });

  /* A mark of a chart that stands for a link of the page, by the link's id, does what a click on that link does. */
  document.addEventListener("atlas:event", ({ target, detail }) => {
    const link = target.closest("[data-links]") && document.getElementById(detail.event);
    if (link) link.click();
  });

  /* What refreshes itself waits while nobody sees it, and while someone moves through it with the keyboard. */
  document.addEventListener("htmx:beforeRequest", (e) => {
    const el = e.detail.elt;
    if (el.hasAttribute("data-live") && (document.hidden || el.querySelector(":focus-visible"))) e.preventDefault();
  });

  /* The server led elsewhere, for instance to the login page: go there as a whole, rather than into a fragment. */
  document.addEventListener("htmx:beforeSwap", (e) => {
    const { xhr, pathInfo } = e.detail;
    const asked = new URL(pathInfo.finalRequestPath, location.href).pathname;
    if (xhr.responseURL && new URL(xhr.responseURL).pathname !== asked) { e.preventDefault(); location.reload(); }
  });

  function fail(text) {
    const box = document.querySelector("[data-failure]");
    if (box) { box.querySelector("p").textContent = text; box.hidden = !text; }
  }
  // The server says in a sentence, as plain text, what a person can do; other faults it only numbers.
  function explanation(answer) {
    const told = (answer.getResponseHeader("Content-Type") || "").startsWith("text/plain") && answer.responseText;
    return told || "Atlas could not load this (error " + answer.status + "). Reload the page, or try again in a moment.";
  }
  document.addEventListener("htmx:afterSwap", () => fail(""));
  document.addEventListener("htmx:sendError", () => fail("Atlas does not answer. Check the connection and try again."));
  document.addEventListener("htmx:responseError", ({ detail }) => fail(explanation(detail.xhr)));

  new bootstrap.Tooltip(document.body, { selector: "[data-bs-toggle=tooltip]" });
  setInterval(clock, 10000);
})();
