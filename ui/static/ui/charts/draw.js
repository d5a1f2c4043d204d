/* Draws <div data-chart="kind" data-source="id">, where the <script> element with this id holds the chart as JSON, and
   again in the colours of another theme. A click on a mark that stands for an event sends "atlas:event" up from the chart,
   with the event's id in `detail.event`: what follows is up to the page. */
(function () {
  "use strict";
  const { inks, kinds, narrow } = window.atlasCharts;
  const listening = new WeakSet();

  /* Plotly reads texts as markup: names are kept from being any. */
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&amp;/g, "&");
  const parsed = (json) => JSON.parse(json, (key, value) => (typeof value === "string" ? escaped(value) : value));

  function choose(el, { points }) {
    const id = points.map((point) => point.customdata).find((data) => typeof data === "string");
    if (id) el.dispatchEvent(new CustomEvent("atlas:event", { bubbles: true, detail: { event: unescaped(id) } }));
  }

  function listen(el) {
    if (listening.has(el)) return;
    listening.add(el);
    el.on("plotly_click", (clicked) => choose(el, clicked));
  }

  function draw(el) {
    const chart = parsed(document.getElementById(el.dataset.source).textContent);
    const { data, layout, tall } = kinds[el.dataset.chart](chart, inks(el));
    el.style.minHeight = (tall || 0) + "px";
    el.classList.toggle("chart-events", data.some((trace) => trace.customdata));
    Plotly.react(el, data, layout, { displayModeBar: false, responsive: true });
    listen(el);
  }
  const drawIn = (root) => root.querySelectorAll("[data-chart]").forEach(draw);

  document.addEventListener("atlas:theme", () => drawIn(document));
  narrow.addEventListener("change", () => drawIn(document));
  document.addEventListener("htmx:load", ({ target }) => drawIn(target));
})();
