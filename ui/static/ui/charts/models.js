/* Charts of what a model does as a whole: an effect's lines and the surrogate tree of explainability/figures. */
(function () {
  "use strict";
  const WIDE = 1.5; /* a question may be so much wider than a level of the tree: neighbours are not at its height */
  const { exact, fade, frame, kinds, LETTER, lines, mix, note, percent, short, shorten, tall, title } = window.atlasCharts;

  /* The number of the node's answer between the lowest and the highest, from 0 to 1. */
  function strengths(points) {
    const answers = points.map((point) => point.answer);
    const [low, high] = [Math.min(...answers), Math.max(...answers)];
    return answers.map((answer) => (high > low ? (answer - low) / (high - low) : 0.5));
  }

  function nodes(chart, ink) {
    const told = (point) => lines(point.path || "all rows", "answer " + exact(point.answer), percent(point.share) + " of the rows", point.feature && "asks whether " + point.feature + " " + point.condition);
    const colors = strengths(chart.points).map((strength) => mix(ink.q2, ink.q6, strength));
    return {
      x: chart.points.map((point) => point.x), y: chart.points.map((point) => point.y), mode: "markers", text: chart.points.map(told), hoverinfo: "text", cliponaxis: false,
      marker: { size: chart.points.map((point) => 8 + 14 * Math.sqrt(point.share)), color: colors, line: { color: ink.line_strong, width: 1 }, opacity: 1 },
    };
  }

  function branches(chart, ink) {
    const at = (end, axis) => chart.points[end][axis];
    const x = chart.edges.flatMap(({ start, end }) => [at(start, "x"), at(end, "x"), null]);
    const y = chart.edges.flatMap(({ start, end }) => [at(start, "y"), at(end, "y"), null]);
    return { x, y, mode: "lines", line: { color: ink.line_strong, width: 1.25 }, hoverinfo: "skip" };
  }

  function words(chart, ink) {
    const most = Math.max(Math.floor((WIDE * ink.width) / ((chart.depth + 1) * LETTER)), 14);
    const ways = chart.edges.filter(({ start }) => start === 0).map(({ start, end, holds }) => note(ink, {
      x: (chart.points[start].x + chart.points[end].x) / 2, y: (chart.points[start].y + chart.points[end].y) / 2, text: holds ? "yes" : "no", bgcolor: ink.surface, borderpad: 1,
    }));
    const texts = chart.points.map((point) => (point.feature
      ? note(ink, { x: point.x, y: point.y, text: shorten(point.feature, Math.max(most - point.condition.length - 1, 5)) + " " + point.condition, yshift: 17, xanchor: point.x ? "center" : "left", xshift: point.x ? 0 : -8, bgcolor: fade(ink.surface, 0.85), font: { size: 12, color: ink.ink } })
      : note(ink, { x: point.x, y: point.y, text: short(point.answer), xanchor: "left", xshift: 16, font: { size: 12, color: ink.ink } })));
    return ways.concat(texts);
  }

  Object.assign(kinds, {
    effect_lines(chart, ink) {
      const rest = { x: chart.lines.flatMap(() => chart.grid.concat(null)), y: chart.lines.flatMap((line) => line.concat(null)), mode: "lines", name: "one event", line: { color: fade(ink.line_strong, 0.45), width: 1 }, hoverinfo: "skip" };
      const mean = {
        x: chart.grid, y: chart.mean, mode: "lines", name: "mean of " + chart.events, line: { color: ink.accent, width: 3 },
        text: chart.grid.map((value, i) => lines(chart.feature + " = " + exact(value), "mean answer " + exact(chart.mean[i]))), hoverinfo: "text",
      };
      return { data: [rest, mean], layout: frame(ink, { showlegend: true, xaxis: { label: chart.feature, zeroline: false }, yaxis: { label: title(chart), zeroline: false } }) };
    },

    tree(chart, ink) {
      const hidden = { showticklabels: false, showgrid: false, showline: false, zeroline: false };
      return { tall: tall(1.2 * chart.leaves), data: [branches(chart, ink), nodes(chart, ink)], layout: frame(ink, {
        annotations: words(chart, ink), margin: { l: 16, r: 80, t: 16, b: 8, autoexpand: true },
        xaxis: Object.assign({ label: title({ axis: chart.axis + " at each leaf", note: chart.note }), range: [-0.1, chart.depth || 1] }, hidden), yaxis: Object.assign({ range: [0.4 - chart.leaves, 0.6] }, hidden),
      }) };
    },
  });
})();
