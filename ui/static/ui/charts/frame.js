/* What all charts share: colours of the theme, axes, the words and numbers on them. Each file beside this one adds
   functions to `atlasCharts.kinds`; `kinds[kind](chart, ink)` gives Plotly's data and layout, where `chart` is the JSON of
   a class with this kind, and `ink` holds the theme's colours and the size of the place to draw in. draw.js draws them. */
window.atlasCharts = (function () {
  "use strict";
  const TOKENS = ["ink", "muted", "line", "line-strong", "surface", "accent", "bad", "data-2", "q2", "q6"];
  const CLEAR = "rgba(0,0,0,0)";
  const LETTER = 7; /* about the width of a letter, in pixels */
  const TICK = 45; /* the least distance of two ticks, in pixels */
  const FEWEST = 4; /* fewer rows than that are no higher than these would be */
  const ROW = 20; /* the least height of a row, in pixels */
  const SHORTEST = 12; /* letters in a line of an axis's label, also of a chart that has no room yet */
  const HOVER = 44; /* letters in a line of what is written on hover */
  const NAMES = 0.36; /* the part of a chart's width that the names of its rows may take */
  const narrow = matchMedia("(max-width: 575px)");
  const fine = matchMedia("(pointer: fine)"); /* a finger moves the page, a mouse marks what to look at closely */

  function inks(el) {
    const root = getComputedStyle(document.documentElement);
    const ink = { font: getComputedStyle(document.body).fontFamily, narrow: narrow.matches, width: el.clientWidth, height: el.clientHeight };
    TOKENS.forEach((name) => { ink[name.replace("-", "_")] = root.getPropertyValue("--at-" + name).trim(); });
    return ink;
  }

  function parts(hex) {
    const full = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
    return [1, 3, 5].map((i) => parseInt(full.slice(i, i + 2), 16));
  }
  const fade = (hex, opacity) => "rgba(" + parts(hex).join(",") + "," + opacity + ")";
  const mix = (one, other, share) => {
    const to = parts(other);
    return "rgb(" + parts(one).map((from, i) => Math.round(from + share * (to[i] - from))).join(",") + ")";
  };

  const longest = (texts) => Math.max(0, ...texts.map((text) => text.length));

  /* A text in lines of at most so many letters; they end after a space, an underscore or a hyphen if there is one. */
  function broken(text, most) {
    const found = [];
    let rest = text;
    while (rest.length > most) {
      const end = rest.slice(0, most).search(/[ _-][^ _-]*$/) + 1 || most;
      found.push(rest.slice(0, end).trimEnd());
      rest = rest.slice(end);
    }
    return found.concat(rest).join("<br>");
  }

  function axis(ink, own, length) {
    const label = (own.label || "").split("<br>").map((text) => broken(text, Math.max(Math.floor(length / LETTER), SHORTEST))).join("<br>");
    const base = {
      gridcolor: ink.line, linecolor: ink.line, zerolinecolor: ink.line_strong, tickfont: { color: ink.muted, size: 12 }, automargin: true, tickangle: 0,
      nticks: Math.max(Math.min(Math.floor(length / TICK), 7), 4), exponentformat: "power", separatethousands: true,
    };
    return Object.assign(base, own, { title: { text: label, font: { color: ink.muted, size: 12 }, standoff: 8 } });
  }

  /* A legend above all else, of which no entry can be hidden. */
  const legend = (ink, own) => Object.assign({ orientation: "h", y: 1, yref: "container", yanchor: "top", x: 0.02, xref: "container", itemclick: false, itemdoubleclick: false, font: { color: ink.muted, size: 12 } }, own);

  /* A layout in the theme's colours. Axes have a `label`, and else what Plotly knows. */
  function frame(ink, own) {
    const base = {
      paper_bgcolor: CLEAR, plot_bgcolor: CLEAR, font: { family: ink.font, size: 12, color: ink.ink },
      margin: { l: 8, r: 16, t: 8, b: 8, autoexpand: true }, showlegend: false, hovermode: "closest", dragmode: fine.matches ? "zoom" : false,
      hoverlabel: { bgcolor: ink.surface, bordercolor: ink.line_strong, align: "left", font: { color: ink.ink, family: ink.font, size: 12 } },
      legend: legend(ink),
    };
    const across = ink.width - 48 - LETTER * longest((own.yaxis || {}).ticktext || []);
    const axes = Object.keys(own).filter((name) => /^[xy]axis/.test(name)).map((name) => [name, axis(ink, own[name], name[0] === "x" ? across : 0.8 * ink.height)]);
    return Object.assign(base, own, Object.fromEntries(axes));
  }

  /* The middle of a long name goes, since names often differ at their ends only. */
  function shorten(name, most, head = Math.ceil((most - 1) / 2)) {
    if (name.length <= most) return name;
    return name.slice(0, head) + "\u2026" + name.slice(name.length - (most - 1 - head));
  }

  /* Names of at most so many letters, together with what comes after them, that differ if they differed; their ends tell them apart sooner than their starts. */
  function shortened(names, most, after) {
    const room = (i) => Math.max(most - (after ? after[i].length : 0), 8);
    for (let part = 2; part < 6; part += 1) {
      const found = names.map((name, i) => shorten(name, room(i), Math.ceil((room(i) - 1) / part)));
      if (new Set(found).size === new Set(names).size) return found;
    }
    return names.map((name, i) => shorten(name, room(i)));
  }
  const down = (names) => names.map((name, i) => -i);
  const letters = (ink) => Math.max(Math.floor((NAMES * ink.width) / LETTER), 12);

  /* An axis of names, one at each place, from 0 downwards if nothing else is said, and what is `given` of each. */
  function rows(ink, names, given, places = down(names), ends = [0.6 - Math.max(names.length, FEWEST), 0.6]) {
    const after = names.map((name, i) => (given && given[i] ? " = " + given[i] : ""));
    const found = shortened(names, letters(ink), after).map((name, i) => name + after[i]);
    return { tickvals: places, ticktext: found, range: ends, ticks: "", showgrid: false, zeroline: false, tickfont: { color: ink.ink, size: 12 } };
  }
  /* How high a chart with so many rows has to be, in pixels. */
  const tall = (count) => ROW * count + 100;

  const minus = (text) => text.replace(/-/g, "\u2212");
  const grouped = (text) => text.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
  /* All digits that single precision holds. */
  const exact = (value) => (value === null ? "missing" : minus(grouped(String(Number(value.toPrecision(7))))));
  /* Three digits, for what is written beside marks. */
  const short = (value) => (value === null ? "missing" : minus(grouped(Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3))));
  const signed = (value, write) => (value > 0 ? "+" : "") + write(value);
  const percent = (share) => (100 * share).toFixed(1) + "\u202f%";
  /* What is written on hover: narrow enough for a phone. */
  const lines = (...texts) => texts.filter(Boolean).map((text) => broken(text, HOVER)).join("<br>");
  const title = (chart) => [chart.axis, chart.note].filter(Boolean).join("<br>");

  /* An entry of the legend that stands for many marks. */
  const key = (name, marker) => ({ x: [null], y: [null], mode: "markers", name, marker: Object.assign({ size: 8 }, marker), hoverinfo: "skip", showlegend: true });
  const note = (ink, own) => Object.assign({ showarrow: false, font: { size: 12, color: ink.muted } }, own);
  const upright = (ink, x, own) => Object.assign({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, layer: "below", line: { color: ink.line_strong, width: 1, dash: "dot" } }, own);

  return { kinds: {}, CLEAR, LETTER, down, exact, fade, frame, inks, key, legend, lines, minus, mix, narrow, note, percent, rows, short, shorten, shortened, letters, signed, tall, title, upright };
})();
