/* ROC and precision-recall curves, calibration, residuals: classes of ui/charts.py. */
(function () {
  "use strict";
  const { exact, fade, frame, kinds, lines, percent } = window.atlasCharts;
  const DASHES = ["solid", "dash", "dot"];
  const UNIT = { range: [-0.01, 1.01], zeroline: false, nticks: 6 };

  const three = (value) => value.toFixed(3);
  const straight = (ink, x, y, own) => Object.assign({ x, y, mode: "lines", line: { color: ink.line_strong, width: 1.5, dash: "dot" }, hoverinfo: "skip", showlegend: false }, own);

  /* The curves to look at differ in colour and dashes; all others are thin and grey below them. */
  function curve(chart, ink, line, k) {
    const color = line.main ? [ink.accent, ink.data_2, ink.ink][k % 3] : ink.line_strong;
    const told = lines(line.name, chart.measure + " " + exact(line.area));
    return {
      x: line.x, y: line.y, mode: "lines", name: line.name + " (" + three(line.area) + ")", showlegend: line.main,
      line: { color, width: line.main ? 2 : 1, dash: line.main ? DASHES[k % 3] : "solid" },
      text: line.x.map((x, i) => lines(told, chart.x_axis + " " + three(x), chart.y_axis + " " + three(line.y[i]))), hoverinfo: "text",
    };
  }

  function guessing(chart, ink) {
    if (chart.diagonal) return [straight(ink, [0, 1], [0, 1], { name: "guessing", showlegend: true, legendrank: 2000 })];
    return chart.lines.filter((line) => line.main).map((line, k) => straight(ink, [0, 1], [line.chance, line.chance], { name: "guessing", showlegend: !k, legendrank: 2000 }));
  }

  function quantity(ink, x, y, own) {
    return Object.assign({ type: "bar", x, y, marker: { color: fade(ink.accent, 0.75) }, hoverinfo: "text", textposition: "none", showlegend: false }, own);
  }
  const middles = (edges) => edges.slice(1).map((edge, i) => (edge + edges[i]) / 2);
  const widths = (edges) => edges.slice(1).map((edge, i) => edge - edges[i]);

  Object.assign(kinds, {
    curves(chart, ink) {
      const main = chart.lines.filter((line) => line.main);
      const rest = chart.lines.filter((line) => !line.main);
      const data = guessing(chart, ink).concat(rest.map((line) => curve(chart, ink, line, 0)), main.map((line, k) => curve(chart, ink, line, k)));
      return { tall: ink.narrow ? 300 + 20 * main.length : 0, data, layout: frame(ink, {
        showlegend: true,
        xaxis: Object.assign({ label: chart.x_axis }, UNIT), yaxis: Object.assign({ label: chart.y_axis }, UNIT),
      }) };
    },

    reliability(chart, ink) {
      const said = (i) => [percent(chart.means[i]) + " was said of " + exact(chart.events[i]) + " events", percent(chart.shares[i]) + " came true", "95 % interval " + percent(chart.low[i]) + " to " + percent(chart.high[i])];
      const text = chart.means.map((mean, i) => lines(...said(i)));
      const off = (ends, sign) => ends.map((end, i) => sign * (end - chart.shares[i]));
      const points = {
        x: chart.means, y: chart.shares, mode: "lines+markers", line: { color: ink.accent, width: 2 }, marker: { color: ink.accent, size: 8 }, text, hoverinfo: "text", showlegend: false,
        error_y: { type: "data", symmetric: false, array: off(chart.high, 1), arrayminus: off(chart.low, -1), color: fade(ink.accent, 0.6), thickness: 1.5, width: 3 },
      };
      const counts = quantity(ink, chart.starts.map((start, i) => (start + chart.ends[i]) / 2), chart.events, { width: chart.starts.map((start, i) => 0.9 * (chart.ends[i] - start)), yaxis: "y2", text });
      return { data: [straight(ink, [0, 1], [0, 1]), points, counts], layout: frame(ink, {
        xaxis: Object.assign({ label: chart.x_axis, anchor: "y2" }, UNIT),
        yaxis: Object.assign({ label: chart.y_axis, domain: [0.27, 1] }, UNIT),
        yaxis2: { label: "Events", domain: [0, 0.18], nticks: 3, rangemode: "tozero", zeroline: false },
      }) };
    },

    histogram(chart, ink) {
      const text = chart.counts.map((count, i) => lines(exact(chart.edges[i]) + " to " + exact(chart.edges[i + 1]), exact(count) + " events"));
      const bars = quantity(ink, middles(chart.edges), chart.counts, { width: widths(chart.edges), text, marker: { color: fade(ink.accent, 0.75), line: { color: ink.surface, width: 1 } } });
      return { data: [bars], layout: frame(ink, { bargap: 0, xaxis: { label: chart.axis, showgrid: false }, yaxis: { label: "Events", zeroline: false } }) };
    },

    quantiles(chart, ink) {
      const normal = (at) => chart.mean + chart.deviation * at;
      const ends = [chart.expected[0], chart.expected[chart.expected.length - 1]];
      const text = chart.expected.map((at, i) => lines(chart.axis + " " + exact(chart.observed[i]), "if normal " + exact(normal(at))));
      const points = { x: chart.expected, y: chart.observed, mode: "markers", marker: { size: 6, color: ink.accent, opacity: 0.6 }, text, hoverinfo: "text" };
      return { data: [straight(ink, ends, ends.map(normal)), points], layout: frame(ink, {
        xaxis: { label: "Quantile of a normal distribution, in standard deviations", zeroline: false }, yaxis: { label: chart.axis, zeroline: false },
      }) };
    },
  });
})();
