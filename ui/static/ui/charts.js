/* Chart definitions. <div data-chart="kind" data-source="id"> is drawn by CHARTS.kind(data, ink), where data is the JSON
   of the <script> element with this id, one of the classes of ui/charts.py, and ink holds the colours of the theme. */
(function () {
  "use strict";
  const TOKENS = ["ink", "muted", "line", "line-strong", "surface", "accent"];
  const DASHES = ["dash", "dot", "dashdot"];
  const LETTER = 7; /* about the width of a letter, in pixels */
  const LABEL = 16; /* the height of a line's label, in pixels */

  function inks() {
    const root = getComputedStyle(document.documentElement);
    const ink = { font: getComputedStyle(document.body).fontFamily, narrow: matchMedia("(max-width: 575px)").matches };
    TOKENS.forEach((name) => { ink[name.replace("-", "_")] = root.getPropertyValue("--at-" + name).trim(); });
    return ink;
  }

  function fade(hex, opacity) {
    const full = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
    return "rgba(" + [1, 3, 5].map((i) => parseInt(full.slice(i, i + 2), 16)).join(",") + "," + opacity + ")";
  }

  function axis(ink, own) {
    const base = { gridcolor: ink.line, linecolor: ink.line, zerolinecolor: ink.line_strong, tickfont: { color: ink.muted, size: 12 }, automargin: true };
    return Object.assign(base, own, { title: { text: own.label, font: { color: ink.muted, size: 12 }, standoff: 8 } });
  }

  function frame(ink, own) {
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: ink.font, size: 12, color: ink.ink },
      margin: { l: 8, r: 16, t: 8, b: 8, autoexpand: true }, showlegend: false, hovermode: "closest", dragmode: false,
      hoverlabel: { bgcolor: ink.surface, bordercolor: ink.line_strong, font: { color: ink.ink, family: ink.font, size: 12 } },
    };
    return Object.assign(base, own, { xaxis: axis(ink, own.xaxis), yaxis: axis(ink, own.yaxis) });
  }

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
  function labels(all, ink, height) {
    const ends = all.map((s) => ({ s, i: s.values.findLastIndex((v) => v !== null) })).filter((end) => end.i >= 0);
    const values = all.flatMap((s) => [...s.values, ...s.low, ...s.high]).filter(Number.isFinite);
    const scale = (height - 80) / ((Math.max(...values) - Math.min(...values)) || 1);
    let floor = -Infinity;
    return ends.sort((a, b) => a.s.values[a.i] - b.s.values[b.i]).map(({ s, i }) => {
      const natural = s.values[i] * scale;
      const at = Math.max(natural, floor);
      floor = at + LABEL;
      return { x: i, y: s.values[i], text: s.name, showarrow: false, xanchor: "left", xshift: 10, yshift: at - natural, font: { size: 12, color: s.main ? ink.accent : ink.muted } };
    });
  }

  const CHARTS = {
    history(chart, ink, height) {
      const several = chart.series.length > 1;
      const x = chart.versions.map((version, i) => i);
      const traces = chart.series.slice().sort((a, b) => a.main - b.main).flatMap((series, k) => {
        const colour = series.main ? ink.accent : ink.line_strong;
        const line = {
          x, y: series.values, name: series.name, mode: "lines+markers", text: hover(chart, series), hoverinfo: "text",
          line: { color: colour, width: series.main ? 2.5 : 1.5, dash: series.main ? "solid" : DASHES[k % DASHES.length] },
          marker: { size: series.main ? 8 : 6, color: colour },
        };
        return stretches(series).map((at) => band(series, at, colour)).concat(line);
      });
      const room = several && !ink.narrow ? LETTER * Math.max(...chart.series.map((s) => s.name.length)) : 16;
      return { data: traces, layout: frame(ink, {
        annotations: several && !ink.narrow ? labels(chart.series, ink, height) : [],
        margin: { l: 8, r: room, t: 8, b: 8, autoexpand: true },
        showlegend: several && ink.narrow, legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
        xaxis: { label: "Dataset version", tickvals: x, ticktext: chart.versions, range: [-0.25, x.length - 0.75], showgrid: false, zeroline: false },
        yaxis: { label: chart.metric, nticks: 6, zeroline: false },
      }) };
    },

    importance(chart, ink) {
      const names = chart.features.slice().reverse();
      const values = chart.totals.slice().reverse();
      const whiskers = chart.whiskers.slice().reverse();
      return {
        data: [{ type: "bar", orientation: "h", y: names, x: values, error_x: { type: "data", array: whiskers, color: ink.ink, thickness: 1.25, width: 3 }, marker: { color: ink.accent, opacity: 0.85 }, text: names.map((name, i) => name + "<br>" + short(values[i])), textposition: "none", hoverinfo: "text" }],
        layout: frame(ink, { bargap: 0.35, xaxis: { label: chart.axis, nticks: 6 }, yaxis: { type: "category", showgrid: false, tickfont: { color: ink.ink, size: 12 } } }),
      };
    },

    residuals(chart, ink) {
      const both = chart.truth.concat(chart.predicted);
      const ends = [Math.min(...both), Math.max(...both)];
      const points = { x: chart.truth, y: chart.predicted, mode: "markers", marker: { size: 6, color: ink.accent, opacity: 0.45 }, text: chart.truth.map((truth, i) => "true " + short(truth) + "<br>predicted " + short(chart.predicted[i])), hoverinfo: "text" };
      const perfect = { x: ends, y: ends, mode: "lines", line: { color: ink.line_strong, width: 1.5, dash: "dot" }, hoverinfo: "skip" };
      return { data: [perfect, points], layout: frame(ink, { xaxis: { label: "True " + chart.target, zeroline: false, nticks: 6 }, yaxis: { label: "Predicted " + chart.target, zeroline: false, nticks: 6 } }) };
    },
  };

  function draw(el) {
    const chart = JSON.parse(document.getElementById(el.dataset.source).textContent);
    const figure = CHARTS[el.dataset.chart](chart, inks(), el.clientHeight);
    Plotly.react(el, figure.data, figure.layout, { displayModeBar: false, responsive: true });
  }
  const drawIn = (root) => root.querySelectorAll("[data-chart]").forEach(draw);

  document.addEventListener("atlas:theme", () => drawIn(document));
  matchMedia("(max-width: 575px)").addEventListener("change", () => drawIn(document));
  document.addEventListener("htmx:load", ({ target }) => drawIn(target));
})();
