/* Charts of importances: the classes of explainability/figures/importances.py. */
(function () {
  "use strict";
  const { down, exact, fade, frame, kinds, legend, lines, LETTER, note, percent, rows, shortened, letters, tall, title } = window.atlasCharts;
  const SYMBOLS = ["circle", "diamond", "square", "triangle-up", "cross", "triangle-down", "star", "x"];
  const DASHES = ["solid", "dash", "dot"];
  const LEGEND = 20; /* the height of a legend's line, in pixels */
  const LABEL = 15; /* the height of a line's label, in pixels */

  /* Fills that differ in more than their hue. */
  const fills = (ink) => [
    { color: ink.accent }, { color: ink.data_2 }, { color: ink.accent, pattern: { shape: "/" } },
    { color: ink.data_2, pattern: { shape: "\\" } }, { color: ink.muted, pattern: { shape: "." } },
  ].map(({ color, pattern }) => ({ color, line: { color, width: pattern ? 1 : 0 }, pattern: pattern && Object.assign(pattern, { fillmode: "replace", fgcolor: color, size: 6, solidity: 0.4 }) }));

  const whisker = (ink, widths, color) => ({ type: "data", array: widths.map((width) => width || 0), color: color || ink.ink, thickness: 1.25, width: 3 });
  const within = (half) => (half === null ? "" : " \u00b1 " + exact(half));

  function bar(chart, ink, y, output) {
    const several = chart.outputs.length > 1;
    const told = (name, i) => lines(name, (several ? chart.outputs[output] + " " : "") + exact(chart.values[output][i]), several || chart.whiskers[i] !== null ? (several ? "together " : "") + exact(chart.totals[i]) + within(chart.whiskers[i]) : "");
    return { type: "bar", orientation: "h", name: chart.outputs[output], x: chart.values[output], y, marker: fills(ink)[output], text: chart.features.map(told), textposition: "none", hoverinfo: "text" };
  }

  function shareLine(chart, ink, line, k, name) {
    const color = [ink.accent, ink.data_2, ink.muted][k % 3];
    const half = line.values.map((value, i) => (value === null || line.high[i] === null ? 0 : 100 * (line.high[i] - value)));
    return {
      x: chart.versions.map((version, i) => i), y: line.values.map((value) => value === null ? null : 100 * value), mode: "lines+markers", name,
      line: { color, width: k ? 1.5 : 2.5, dash: DASHES[Math.floor(k / 3) % 3] }, marker: { color, size: k ? 7 : 8, symbol: SYMBOLS[k % SYMBOLS.length] },
      error_y: { type: "data", array: half, color: fade(color, 0.5), thickness: 1, width: 0 },
      text: line.values.map((value, i) => value === null ? "" : lines(line.name, chart.versions[i], percent(value) + (half[i] ? " \u00b1 " + percent(half[i] / 100) : ""))), hoverinfo: "text",
    };
  }

  /* Names at the ends of lines, moved apart where lines end close together. */
  function names(chart, ink, traces) {
    const ends = traces.map((trace) => ({ trace, at: trace.y.findLastIndex((value) => value !== null) })).filter(({ at }) => at >= 0);
    const all = traces.flatMap((trace) => trace.y).filter((value) => value !== null);
    const scale = (ink.height - 70) / (1.06 * Math.max(...all) || 1);
    let floor = -Infinity;
    return ends.sort((a, b) => a.trace.y[a.at] - b.trace.y[b.at]).map(({ trace, at }) => {
      const natural = trace.y[at] * scale;
      const place = Math.max(natural, floor);
      floor = place + LABEL;
      return note(ink, { x: at, y: trace.y[at], text: trace.name, xanchor: "left", xshift: 10, yshift: place - natural, font: { size: 12, color: trace.line.color } });
    });
  }

  function dots(chart, ink, y, first) {
    const [shares, halves, name] = first ? [chart.first, chart.first_whiskers, chart.names[0]] : [chart.second, chart.second_whiskers, chart.names[1]];
    const color = first ? ink.accent : ink.data_2;
    const known = shares.map((share, i) => i).filter((i) => shares[i] !== null);
    const pick = (list) => known.map((i) => list[i]);
    return {
      x: pick(shares).map((share) => 100 * share), y: pick(y).map((place) => place + (first ? 0.12 : -0.12)), mode: "markers", name, showlegend: true,
      marker: { color, size: 9, symbol: first ? "circle" : "diamond" }, error_x: whisker(ink, pick(halves).map((half) => 100 * half), fade(color, 0.7)),
      text: known.map((i) => lines(chart.features[i], name + " " + percent(shares[i]) + (halves[i] ? " \u00b1 " + percent(halves[i]) : ""))), hoverinfo: "text",
    };
  }

  function alone(chart, ink, y) {
    return chart.features.flatMap((feature, i) => {
      if (chart.first[i] !== null && chart.second[i] !== null) return [];
      const [share, place] = chart.first[i] === null ? [chart.second[i], -0.12] : [chart.first[i], 0.12];
      return [note(ink, { x: 100 * share, y: y[i] + place, text: "only here", xanchor: "left", xshift: 12 })];
    });
  }

  Object.assign(kinds, {
    importance(chart, ink) {
      const y = down(chart.features);
      const several = chart.outputs.length > 1;
      const ends = { x: chart.totals, y, mode: "markers", marker: { opacity: 0 }, error_x: whisker(ink, chart.whiskers), hoverinfo: "skip", showlegend: false };
      return { tall: tall(y.length), data: chart.outputs.map((output, k) => bar(chart, ink, y, k)).concat(ends), layout: frame(ink, {
        barmode: "stack", bargap: 0.35, showlegend: several, legend: legend(ink, { traceorder: "normal" }),
        xaxis: { label: title(chart), rangemode: "tozero" }, yaxis: rows(ink, chart.features),
      }) };
    },

    importance_history(chart, ink) {
      const known = shortened(chart.lines.map((line) => line.name), letters(ink));
      const traces = chart.lines.map((line, k) => shareLine(chart, ink, line, k, known[k]));
      const x = chart.versions.map((version, i) => i);
      const room = ink.narrow ? 16 : 16 + LETTER * Math.max(0, ...traces.map((trace) => trace.name.length));
      return { tall: ink.narrow ? 260 + LEGEND * traces.length : 0, data: traces, layout: frame(ink, {
        annotations: ink.narrow ? [] : names(chart, ink, traces), margin: { l: 8, r: room, t: 8, b: 8, autoexpand: true }, showlegend: ink.narrow,
        xaxis: { label: "Dataset version", tickvals: x, ticktext: chart.versions, range: [-0.25, x.length - 0.75], showgrid: false, zeroline: false },
        yaxis: { label: chart.axis, ticksuffix: "\u202f%", rangemode: "tozero", zeroline: false },
      }) };
    },

    comparison(chart, ink) {
      const y = down(chart.features);
      const both = y.filter((place, i) => chart.first[i] !== null && chart.second[i] !== null);
      const joined = {
        x: both.flatMap((place) => [100 * chart.first[-place], 100 * chart.second[-place], null]), y: both.flatMap((place) => [place + 0.12, place - 0.12, null]),
        mode: "lines", line: { color: ink.line_strong, width: 1.5 }, hoverinfo: "skip", showlegend: false,
      };
      return { tall: tall(y.length), data: [joined, dots(chart, ink, y, true), dots(chart, ink, y, false)], layout: frame(ink, {
        annotations: alone(chart, ink, y), showlegend: true, xaxis: { label: chart.axis, ticksuffix: "\u202f%", rangemode: "tozero" },
        yaxis: rows(ink, chart.features), shapes: y.map((place) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: place, y1: place, layer: "below", line: { color: ink.line, width: 1 } })),
      }) };
    },
  });
})();
