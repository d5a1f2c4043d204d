/* Rows that are chosen in a list, and the bar that says what can be done to them. */
(function () {
  "use strict";
  const boxes = () => Array.from(document.querySelectorAll("input[name=pick]"));

  function show() {
    const bar = document.querySelector("[data-bulk]");
    if (!bar) return;
    const found = boxes(), number = found.filter((box) => box.checked).length;
    const every = document.querySelector("[data-pick-all]"), all = bar.querySelector("[name=all]");
    found.forEach((box) => box.closest("tr").classList.toggle("is-picked", box.checked));
    if (every) {
      every.checked = number > 0 && number === found.length;
      every.indeterminate = number > 0 && number < found.length;
    }
    if (!number && all) all.checked = false;
    bar.hidden = !number;
    const total = document.querySelector("[data-total]");
    bar.querySelector("[data-count]").textContent = all && all.checked && total ? total.dataset.total : number.toLocaleString("en");
  }

  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-pick-all]")) boxes().forEach((box) => { box.checked = target.checked; });
    if (target.matches("[data-pick-all], input[name=pick], [data-bulk] [name=all]")) show();
  });
  /* The list was searched since: what matches is what its address says now. */
  document.addEventListener("submit", ({ target }) => {
    if (target.matches("[data-bulk]")) target.querySelector("[name=query]").value = location.search.slice(1);
  });
  document.addEventListener("htmx:load", show);
  window.addEventListener("pageshow", show);
})();
