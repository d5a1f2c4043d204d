/* Charts of drift: the classes of ui/drift.py. */
(function () {
  "use strict";
  const { down, exact, frame, kinds, legend, lines, percent, rows } = window.atlasCharts;
  const BARS = 34; /* the height of a row of two bars, in pixels */

  const total = (counts) => counts.reduce((sum, count) => sum + count, 0) || 1;

  function line(chart, name, values, told, color, dash, symbol) {
    return {
      x: chart.versions.map((version, i) => i), y: values, mode: "lines+markers", name, line: { color, width: 2, dash }, marker: { color, size: 9, symbol },
      text: values.map((value, i) => (value === null ? "" : lines(chart.versions[i] + (chart.notes[i] ? ", " + chart.notes[i] : ""), told(value, i)))),
      hoverinfo: "text", customdata: chart.targets, connectgaps: false,
    };
  }

  function bars(chart, ink, counts, name, color, y) {
    const all = total(counts);
    return {
      type: "bar", orientation: "h", name, x: counts.map((count) => (100 * count) / all), y, marker: { color },
      text: counts.map((count, i) => lines(chart.bins[i], name + " " + percent(count / all) + ", " + exact(count) + " rows")), textposition: "none", hoverinfo: "text",
    };
  }

  Object.assign(kinds, {
    drift(chart, ink) {
      const x = chart.versions.map((version, i) => i);
      const far = line(chart, "farthest column's distance", chart.farthest, (value, i) => lines(chart.columns[i], "distance " + value.toFixed(3)), ink.data_2, "dash", "diamond");
      const moved = line(chart, "share of columns that moved", chart.shares, (value) => percent(value) + " of the columns moved", ink.accent, "solid", "circle");
      const least = { x: [x[0], x[x.length - 1]], y: [chart.least, chart.least], mode: "lines", name: "closer than this is no drift", line: { color: ink.line_strong, width: 1.5, dash: "dot" }, hoverinfo: "skip" };
      const highest = Math.max(...chart.shares, ...chart.farthest);
      return { data: [moved, far, least], layout: frame(ink, {
        showlegend: true,
        xaxis: { label: "Dataset version", tickvals: x, ticktext: chart.versions, range: [-0.25, x.length - 0.75], showgrid: false, zeroline: false },
        yaxis: { label: "From 0 (alike) to 1", range: [-0.02, Math.min(Math.max(1.15 * highest, 0.5), 1.02)], zeroline: false },
      }) };
    },

    distributions(chart, ink) {
      const y = down(chart.bins);
      const now = bars(chart, ink, chart.now, chart.names[1], ink.accent, y);
      const before = bars(chart, ink, chart.before, chart.names[0], ink.line_strong, y);
      return { tall: BARS * y.length + 100, data: [now, before], layout: frame(ink, {
        showlegend: true, bargap: 0.25, bargroupgap: 0, legend: legend(ink, { traceorder: "reversed" }),
        xaxis: { label: "Share of the rows, in %", rangemode: "tozero", zeroline: false }, yaxis: rows(ink, chart.bins),
      }) };
    },
  });
})();
