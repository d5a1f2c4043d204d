/* Loaded in <head> without defer, so that no page flashes in the wrong theme. */
(function () {
  "use strict";
  let kept = null;
  try { kept = localStorage.getItem("atlas-theme"); } catch (e) { /* the browser may keep nothing */ }
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.setAttribute("data-bs-theme", kept || system);
})();
