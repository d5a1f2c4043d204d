/* Charts of explained events: the classes of explainability/figures/events.py and one_event.py. */
(function () {
  "use strict";
  const COLUMN = 64; /* the width of a column of numbers, in pixels */
  const { CLEAR, down, exact, fade, frame, key, kinds, legend, lines, note, rows, short, signed, tall, title, upright } = window.atlasCharts;

  /* From low values over middle ones to high ones: safe for the common colour blindnesses. */
  const scale = (ink) => [[0, ink.accent], [0.5, ink.line_strong], [1, ink.data_2]];
  const missing = (ink) => ({ color: ink.muted, symbol: "x-thin", line: { color: ink.muted, width: 1.25 } });
  const keys = (ink, of, some) => [key("low " + of, { color: ink.accent }), key("high " + of, { color: ink.data_2 })].concat(some ? key("missing", missing(ink)) : []);

  /* Points of events, coloured by `rank`, those without one as crosses. */
  function points(ink, all, size) {
    const known = all.filter((point) => point.rank !== null);
    const others = all.filter((point) => point.rank === null);
    const trace = (some, marker) => ({
      x: some.map((point) => point.x), y: some.map((point) => point.y), mode: "markers", marker: Object.assign({ size }, marker),
      text: some.map((point) => point.text), customdata: some.map((point) => point.event), hoverinfo: "text", showlegend: false,
    });
    const coloured = { color: known.map((point) => point.rank), colorscale: scale(ink), cmin: 0, cmax: 1, opacity: 0.85, showscale: false };
    return [trace(known, coloured), trace(others, missing(ink))];
  }

  function path(chart, ink, i) {
    const wrong = chart.wrong[i];
    const head = "event " + chart.events[i] + (wrong ? " (wrong)" : "");
    const judged = "true " + chart.truth[i] + ", predicted " + chart.predicted[i];
    return {
      x: chart.paths[i], y: chart.paths[i].map((value, step) => step), mode: "lines", showlegend: false, customdata: chart.paths[i].map(() => chart.events[i]),
      line: { width: wrong ? 2 : 1.25, color: wrong ? ink.bad : fade(ink.accent, 0.45), dash: wrong ? "dash" : "solid" },
      text: chart.paths[i].map((value, step) => lines(head, judged, (step ? "after " + chart.features[step - 1] + ": " : "average: ") + exact(value))), hoverinfo: "text",
    };
  }

  const stroke = (name, line) => ({ x: [null], y: [null], mode: "lines", name, line, hoverinfo: "skip", showlegend: true });

  /* What ends a waterfall's rows: the average below, the answer above. */
  const end = (name, value, y, marker) => ({ x: [value], y: [y], mode: "markers", marker, cliponaxis: false, text: [lines(name, exact(value))], hoverinfo: "text" });

  /* The ends of an axis with a little room beside all values. */
  function roomy(values) {
    const [low, high] = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
    const pad = 0.05 * ((high - low) || Math.abs(high) || 1);
    return [low - pad, high + pad];
  }

  /* A column of numbers at the right of the rows. */
  const column = (ink, texts, y) => texts.map((text, i) => note(ink, { xref: "paper", x: 1, xanchor: "right", xshift: COLUMN, y: y[i], text, font: { size: 12, color: ink.ink } }));

  const named = (chart) => chart.features.map((name, i) => name + (chart.given[i] ? " = " + chart.given[i] : ""));

  Object.assign(kinds, {
    swarm(chart, ink) {
      const all = chart.features.flatMap((name, row) => chart.events.map((event, i) => ({
        x: chart.effects[row][i], y: chart.offsets[row][i] - row, rank: chart.ranks[row][i], event,
        text: lines("event " + event, name + " = " + exact(chart.values[row][i]), "effect " + signed(chart.effects[row][i], exact)),
      })));
      const y = down(chart.features);
      return { tall: tall(y.length), data: points(ink, all, ink.narrow ? 4 : 5).concat(keys(ink, "value", all.some((point) => point.rank === null))), layout: frame(ink, {
        showlegend: true, xaxis: { label: title(chart) }, yaxis: rows(ink, chart.features),
      }) };
    },

    paths(chart, ink) {
      const order = chart.events.map((event, i) => i).sort((a, b) => chart.wrong[a] - chart.wrong[b]);
      const some = chart.wrong.some(Boolean);
      const legend = some ? [stroke("predicted right", { color: ink.accent, width: 1.25 }), stroke("predicted wrong", { color: ink.bad, width: 2, dash: "dash" })] : [];
      const steps = chart.features.map((name, i) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: i, y1: i, layer: "below", line: { color: ink.line, width: 1 } }));
      return { tall: tall(steps.length), data: order.map((i) => path(chart, ink, i)).concat(legend), layout: frame(ink, {
        showlegend: some, shapes: steps.concat(upright(ink, chart.base)), xaxis: { label: title(chart), range: roomy(chart.paths.flat().concat(chart.base)), showgrid: false, zeroline: false },
        annotations: [note(ink, { x: chart.base, y: 0, yanchor: "top", text: "average " + short(chart.base) })],
        yaxis: rows(ink, chart.features, null, chart.features.map((name, i) => i + 0.5), [-0.6, chart.features.length + 0.1]),
      }) };
    },

    heat(chart, ink) {
      const x = chart.events.map((event, i) => i);
      const y = down(chart.features);
      const limit = chart.limit || 1;
      const told = (effects, i) => effects.map((effect, j) => lines("event " + chart.events[j], chart.features[i], "effect " + signed(effect, exact), "answer " + exact(chart.answers[j])));
      const fields = {
        type: "heatmap", ygap: 1, x, y, z: chart.effects, zmin: -limit, zmax: limit, colorscale: [[0, ink.data_2], [0.5, ink.surface], [1, ink.accent]], showscale: false,
        text: chart.effects.map(told), hoverinfo: "text", customdata: y.map(() => chart.events),
      };
      const answers = {
        x, y: chart.answers, yaxis: "y2", mode: x.length > 1 ? "lines" : "markers", line: { color: ink.ink, width: 1.25 }, customdata: chart.events,
        text: chart.events.map((event, i) => lines("event " + event, chart.answer_axis + " " + exact(chart.answers[i]))), hoverinfo: "text", showlegend: false,
      };
      const legend = [key("\u2264 " + signed(-limit, short), { color: ink.data_2, symbol: "square" }), key("no effect", { color: ink.surface, symbol: "square", line: { color: ink.line_strong, width: 1 } }), key("\u2265 " + signed(limit, short), { color: ink.accent, symbol: "square" })];
      return { tall: 1.25 * tall(y.length), data: [fields, answers].concat(legend), layout: frame(ink, {
        showlegend: true, xaxis: { label: title({ axis: chart.axis + ", event by event", note: chart.note }), ticks: "", showticklabels: false, showgrid: false, zeroline: false, anchor: "y" },
        yaxis: Object.assign(rows(ink, chart.features, null, y, [0.5 - y.length, 0.5]), { domain: [0, 0.8] }),
        yaxis2: { domain: [0.84, 1], nticks: 4, zeroline: false, anchor: "x" },
        shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, yref: "y2", y0: chart.base, y1: chart.base, line: { color: ink.line_strong, width: 1, dash: "dot" } }],
      }) };
    },

    waterfall(chart, ink) {
      const count = chart.features.length;
      const y = chart.features.map((name, i) => count - i);
      const starts = chart.effects.map((effect, i) => chart.base + chart.effects.slice(i + 1).reduce((sum, each) => sum + each, 0));
      const bars = {
        type: "bar", orientation: "h", base: starts, x: chart.effects, y, 
        marker: { color: chart.effects.map((effect) => (effect < 0 ? ink.data_2 : ink.accent)) },
        hovertext: named(chart).map((name, i) => lines(name, signed(chart.effects[i], exact), "from " + exact(starts[i]) + " to " + exact(starts[i] + chart.effects[i]))), hoverinfo: "text",
      };
      const joints = starts.flatMap((start, i) => [start, start, null]);
      const joined = { x: joints, y: y.flatMap((place) => [place - 1, place, null]), mode: "lines", line: { color: ink.line_strong, width: 1 }, hoverinfo: "skip" };
      const last = { x: [chart.answer, chart.answer], y: [count, count + 1], mode: "lines", line: { color: ink.line_strong, width: 1 }, hoverinfo: "skip" };
      const ends = [end("average", chart.base, 0, { size: 9, color: ink.surface, line: { color: ink.muted, width: 2 } }), end("answer", chart.answer, count + 1, { size: 11, color: ink.ink, symbol: "diamond" })];
      const texts = [short(chart.answer)].concat(chart.effects.map((effect) => signed(effect, short)), short(chart.base));
      const all = [count + 1].concat(y, 0);
      return { tall: tall(all.length), data: [joined, last, bars].concat(ends), layout: frame(ink, {
        bargap: 0.35, xaxis: { label: title(chart), range: roomy(starts.concat(chart.base, chart.answer)), zeroline: false },
        annotations: column(ink, texts, all), margin: { l: 8, r: COLUMN + 8, t: 8, b: 8, autoexpand: true },
        yaxis: rows(ink, ["answer"].concat(chart.features, "average"), [""].concat(chart.given), all, [-0.6, count + 1.6]),
      }) };
    },

    opinions(chart, ink) {
      const y = down(chart.features);
      const bars = (name, effects, marker) => ({
        type: "bar", orientation: "h", name, x: effects, y, marker, text: named(chart).map((text, i) => lines(text, name + " " + signed(effects[i], exact))), textposition: "none", hoverinfo: "text",
      });
      const striped = { color: ink.data_2, line: { color: ink.data_2, width: 1 }, pattern: { shape: "/", fillmode: "replace", fgcolor: ink.data_2, bgcolor: CLEAR, size: 6, solidity: 0.4 } };
      return { tall: 1.5 * tall(y.length), data: [bars("LIME", chart.lime, striped), bars("SHAP", chart.shap, { color: ink.accent })], layout: frame(ink, {
        barmode: "group", bargap: 0.3, showlegend: true, legend: legend(ink, { traceorder: "reversed" }), xaxis: { label: title(chart) }, yaxis: rows(ink, chart.features, chart.given),
      }) };
    },

    dependence(chart, ink) {
      const all = chart.events.map((event, i) => ({
        x: chart.values[i], y: chart.effects[i], event, rank: chart.partner ? chart.ranks[i] : 0,
        text: lines("event " + event, chart.feature + " = " + exact(chart.values[i]), chart.partner && chart.partner + " = " + exact(chart.partner_values[i]), "effect " + signed(chart.effects[i], exact)),
      }));
      const legend = chart.partner ? keys(ink, chart.partner, all.some((point) => point.rank === null)) : [];
      return { data: points(ink, all, 6).concat(legend), layout: frame(ink, {
        showlegend: Boolean(chart.partner), xaxis: { label: chart.feature, zeroline: false }, yaxis: { label: title(chart) },
      }) };
    },
  });
})();
