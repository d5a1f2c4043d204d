/* The live tail of the log: follows the end until the reader scrolls up, and waits while it is switched off. */
(function () {
  "use strict";
  const MOST_LINES = 5000;
  const NEAR = 24;
  const tail = () => document.getElementById("tail");
  const live = () => document.querySelector("[data-tail]");
  let follows = true;

  const end = () => { const box = tail(); if (box && follows) box.scrollTop = box.scrollHeight; };

  document.addEventListener("scroll", ({ target }) => {
    if (target.id === "tail") follows = target.scrollTop + target.clientHeight >= target.scrollHeight - NEAR;
  }, true);
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-tail]") && target.checked) { follows = true; end(); }
  });
  document.addEventListener("htmx:beforeRequest", (e) => {
    if (e.detail.elt.hasAttribute("data-next") && (!live() || !live().checked)) e.preventDefault();
  });
  document.addEventListener("htmx:afterSettle", () => {
    const box = tail();
    if (!box) return;
    if (follows) {
      const lines = box.querySelectorAll(".line");
      Array.from(lines).slice(0, Math.max(lines.length - MOST_LINES, 0)).forEach((line) => line.remove());
    }
    end();
  });
  document.addEventListener("htmx:load", end);
})();
