/* Charts of metrics: the classes of ui/charts.py. */
(function () {
  "use strict";
  const { fade, frame, kinds, LETTER, upright } = window.atlasCharts;
  const DASHES = ["dash", "dot", "dashdot"];
  const LABEL = 16; /* the height of a line's label, in pixels */

  const short = (value) => value.toPrecision(3);
  const score = (value) => (value < 0 ? "\u2212" : "") + (Math.abs(value) >= 1000 ? value.toPrecision(4) : Math.abs(value).toFixed(3));

  const known = (series, i) => Number.isFinite(series.low[i]) && Number.isFinite(series.high[i]);

  /* The stretches of a series without a gap in its intervals, as lists of positions. */
  function stretches(series) {
    return series.values.reduce((runs, value, i) => {
      if (value === null || !known(series, i)) return runs;
      const last = runs[runs.length - 1];
      if (last && last[last.length - 1] === i - 1) last.push(i); else runs.push([i]);
      return runs;
    }, []);
  }

  function band(series, at, colour) {
    const upper = at.map((i) => series.high[i]);
    const lower = at.map((i) => series.low[i]);
    const shade = fade(colour, series.main ? 0.16 : 0.08);
    const fill = { fill: "toself", fillcolor: shade, line: { color: shade, width: at.length > 1 ? 0 : 8 } };
    return Object.assign(fill, { x: at.concat(at.slice().reverse()), y: upper.concat(lower.reverse()), mode: "lines", hoverinfo: "skip", showlegend: false });
  }

  function hover(chart, series) {
    return series.values.map((value, i) => {
      if (value === null) return "";
      const interval = known(series, i) ? " [" + score(series.low[i]) + ", " + score(series.high[i]) + "]" : "";
      return [series.name, chart.versions[i] + (chart.notes[i] ? ", " + chart.notes[i] : ""), chart.metric + " " + score(value) + interval].join("<br>");
    });
  }

  /* Names at the lines' ends, moved apart where lines end close together. */
  function labels(all, ink) {
    const ends = all.map((s) => ({ s, i: s.values.findLastIndex((v) => v !== null) })).filter((end) => end.i >= 0);
    const values = all.flatMap((s) => [...s.values, ...s.low, ...s.high]).filter(Number.isFinite);
    const scale = (ink.height - 80) / ((Math.max(...values) - Math.min(...values)) || 1);
    let floor = -Infinity;
    return ends.sort((a, b) => a.s.values[a.i] - b.s.values[b.i]).map(({ s, i }) => {
      const natural = s.values[i] * scale;
      const at = Math.max(natural, floor);
      floor = at + LABEL;
      return { x: i, y: s.values[i], text: s.name, showarrow: false, xanchor: "left", xshift: 10, yshift: at - natural, font: { size: 12, color: s.main ? ink.accent : ink.muted } };
    });
  }

  const named = (point) => (point.mark ? point.mark + ", " : "") + point.name;
  const between = (point) => (point.low === null || point.high === null ? "" : " [" + score(point.low) + ", " + score(point.high) + "]");
  const TICKS = [1, 2, 5];

  /* An axis of costs with round numbers on it, and a little room at both ends. */
  function ends(points, isLog) {
    const costs = points.map((point) => point.cost);
    const [least, most] = [Math.min(...costs), Math.max(...costs)];
    if (!isLog) return {};
    const room = Math.max(0.08 * Math.log10(most / least), 0.1);
    const [low, high] = [Math.log10(least) - room, Math.log10(most) + room];
    const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (none, i) => Math.floor(low) + i);
    const steps = high - low > 3 ? [1] : TICKS;
    const ticks = powers.flatMap((power) => steps.map((step) => step * 10 ** power)).filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high);
    return { range: [low, high], tickvals: ticks, ticktext: ticks.map((tick) => String(Number(tick.toPrecision(1)))) };
  }

  /* The letters and names of what is chosen or on the front, on the side that has more room, apart from each other. */
  function pointLabels(points, isLog, ink) {
    const place = (point) => (isLog ? Math.log10(point.cost) : point.cost);
    const places = points.map(place);
    const middle = (Math.min(...places) + Math.max(...places)) / 2;
    const values = points.flatMap((point) => [point.low, point.high, point.value]).filter(Number.isFinite);
    const scale = (ink.height - 80) / ((Math.max(...values) - Math.min(...values)) || 1);
    const floors = { left: -Infinity, right: -Infinity };
    return points.filter((point) => point.mark || point.front).sort((a, b) => a.value - b.value).map((point) => {
      const anchor = place(point) > middle ? "right" : "left";
      const natural = point.value * scale;
      const at = Math.max(natural, floors[anchor]);
      floors[anchor] = at + LABEL;
      const text = ink.narrow ? point.mark : named(point);
      return { x: place(point), y: point.value, text, showarrow: false, xanchor: anchor, xshift: anchor === "right" ? -11 : 11, yshift: at - natural, font: { size: 12, color: point.mark ? ink.ink : ink.muted } };
    });
  }

  Object.assign(kinds, {
    history(chart, ink) {
      const several = chart.series.length > 1;
      const x = chart.versions.map((version, i) => i);
      const traces = chart.series.slice().sort((a, b) => a.main - b.main).flatMap((series, k) => {
        const colour = series.main ? ink.accent : ink.line_strong;
        const line = {
          x, y: series.values, name: series.name, mode: "lines+markers", text: hover(chart, series), hoverinfo: "text",
          line: { color: colour, width: series.main ? 2.5 : 1.5, dash: series.main ? "solid" : DASHES[k % DASHES.length] },
          marker: { size: series.main ? 8 : 6, color: colour, symbol: series.main ? "circle" : "diamond" },
        };
        return stretches(series).map((at) => band(series, at, colour)).concat(line);
      });
      const room = several && !ink.narrow ? LETTER * Math.max(...chart.series.map((s) => s.name.length)) : 16;
      return { data: traces, layout: frame(ink, {
        annotations: several && !ink.narrow ? labels(chart.series, ink) : [],
        margin: { l: 8, r: room, t: 8, b: 8, autoexpand: true },
        shapes: chart.marked.map((version) => upright(ink, chart.versions.indexOf(version))),
        showlegend: several && ink.narrow, legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
        xaxis: { label: "Dataset version", tickvals: x, ticktext: chart.versions, range: [-0.25, x.length - 0.75], showgrid: false, zeroline: false },
        yaxis: { label: chart.metric, nticks: 6, zeroline: false, ...(chart.from_0_to_1 ? { range: [-0.03, 1.03] } : {}) },
      }) };
    },

    pareto(chart, ink) {
      const points = chart.points;
      const front = points.filter((point) => point.front).sort((a, b) => a.cost - b.cost);
      const step = front.flatMap((point, i) => (i ? [[point.cost, front[i - 1].value]] : []).concat([[point.cost, point.value]]));
      const line = { x: step.map(([x]) => x), y: step.map(([, y]) => y), mode: "lines", line: { color: ink.accent, width: 1.5, dash: "dot" }, hoverinfo: "skip" };
      const reach = (end) => points.map((point) => (point[end] === null ? 0 : Math.abs(point[end] - point.value)));
      const marks = {
        x: points.map((point) => point.cost), y: points.map((point) => point.value), mode: "markers",
        error_y: { type: "data", symmetric: false, array: reach("high"), arrayminus: reach("low"), color: ink.line_strong, thickness: 1.25, width: 0 },
        marker: { size: 11, opacity: 1, color: points.map((point) => (point.front ? ink.accent : ink.surface)), line: { width: 2, color: points.map((point) => (point.front || point.mark ? ink.accent : ink.line_strong)) } },
        text: points.map((point) => [named(point), chart.metric + " " + score(point.value) + between(point), chart.cost + ": " + short(point.cost), point.front ? "on the front" : ""].filter(Boolean).join("<br>")), hoverinfo: "text",
      };
      const costs = points.map((point) => point.cost);
      const isLog = Math.min(...costs) > 0 && Math.max(...costs) > 4 * Math.min(...costs);
      return { data: [line, marks], layout: frame(ink, {
        annotations: pointLabels(points, isLog, ink),
        xaxis: { label: chart.cost + (isLog ? " (log scale)" : ""), type: isLog ? "log" : "linear", zeroline: false, ...ends(points, isLog) },
        yaxis: { label: chart.metric, nticks: 6, zeroline: false },
      }) };
    },

    residuals(chart, ink) {
      const both = chart.truth.concat(chart.predicted);
      const ends = [Math.min(...both), Math.max(...both)];
      const points = { x: chart.truth, y: chart.predicted, mode: "markers", marker: { size: 6, color: ink.accent, opacity: 0.45 }, text: chart.truth.map((truth, i) => "true " + short(truth) + "<br>predicted " + short(chart.predicted[i])), hoverinfo: "text" };
      const perfect = { x: ends, y: ends, mode: "lines", line: { color: ink.line_strong, width: 1.5, dash: "dot" }, hoverinfo: "skip" };
      return { data: [perfect, points], layout: frame(ink, { xaxis: { label: "True " + chart.target, zeroline: false, nticks: 6 }, yaxis: { label: "Predicted " + chart.target, zeroline: false, nticks: 6 } }) };
    },
  });
})();
