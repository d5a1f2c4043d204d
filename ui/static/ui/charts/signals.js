/* Raw signals of one event. */
(function () {
  "use strict";
  const { frame, kinds } = window.atlasCharts;

  Object.assign(kinds, {
    signal(chart, ink) {
      const line = { x: chart.samples, y: chart.values, mode: "lines", line: { color: ink.accent, width: 1 }, hovertemplate: "sample %{x:,}<br>%{y:.4~g}<extra></extra>" };
      return { data: [line], layout: frame(ink, { hovermode: "x", xaxis: { label: "Sample", zeroline: false, range: [0, chart.count - 1] }, yaxis: { label: chart.name } }) };
    },
  });
})();
