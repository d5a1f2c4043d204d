/* What charts of signals over time are drawn with, on canvases. Every function takes the pen of a canvas that `clear` gave,
   and a function `x` that tells where on it a time lies. */
window.atlasDrawing = (function () {
  "use strict";
  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000, 900000, 1800000, 3600000, 7200000, 21600000, 43200000, 86400000];
  const COLOURS = {
    light: ["#2556c2", "#b3261e", "#0a6b52", "#a85b00", "#7a3fb5", "#00708a", "#a0266f", "#5b6b00"],
    dark: ["#8db2ff", "#ff9086", "#63cfa9", "#f0a650", "#cda6ff", "#6fd0e6", "#ff9bd0", "#c9d85b"],
  };

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--at-" + name).trim();
  const theme = () => (document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : "light");

  /* Labels of a recording are told apart by their places in the alphabet; what is new has the last colour. */
  function colour(label, labels) {
    const place = labels.indexOf(label), all = COLOURS[theme()];
    return label ? all[(place < 0 ? labels.length : place) % all.length] : token("muted");
  }

  /* A place in the recording, with no more decimals than the step between two ticks needs. */
  function written(seconds, step = 0.001) {
    const digits = step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0;
    const whole = Math.floor(Number(seconds.toFixed(digits)));
    const rest = (seconds - 60 * Math.floor(whole / 60)).toFixed(digits);
    const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
    if (!minutes && !hours) return digits ? rest : rest + " s";
    const two = (text) => (text.split(".")[0].length < 2 ? "0" + text : text);
    return hours ? hours + ":" + two(String(minutes)) + ":" + two(rest) : minutes + ":" + two(rest);
  }

  /* The canvas in the pixels of the screen, empty. */
  function clear(canvas) {
    const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "12px " + getComputedStyle(document.body).fontFamily;
    return { pen, width, height };
  }

  /* The area between the lowest and the highest values; a missing value parts it. */
  function envelope(pen, points, x, y) {
    const { times, minima, maxima } = points;
    const piece = (first, stop) => {
      pen.beginPath();
      for (let i = first; i < stop; i += 1) pen.lineTo(x(times[i]), y(maxima[i]));
      for (let i = stop - 1; i >= first; i -= 1) pen.lineTo(x(times[i]), y(minima[i]));
      pen.closePath();
      pen.fill();
      pen.stroke();
    };
    let first = 0;
    for (let i = 0; i <= times.length; i += 1) {
      if (i === times.length || minima[i] === null) {
        if (i > first) piece(first, i);
        first = i + 1;
      }
    }
  }

  /* The least and the greatest value between two times, and at the points next to these; null if none is known. */
  function extremes(points, from, to) {
    const { times, minima, maxima } = points;
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < times.length; i += 1) {
      const seen = (i + 1 >= times.length || times[i + 1] >= from) && (i === 0 || times[i - 1] <= to);
      if (!seen || minima[i] === null) continue;
      low = Math.min(low, minima[i]);
      high = Math.max(high, maxima[i]);
    }
    return low <= high ? { low, high } : null;
  }

  /* Lines at round times, each with its time below the floor. */
  function ticks(pen, part, width, floor) {
    const span = part.to - part.from;
    const step = (STEPS.find((each) => (each / 1000 / span) * width >= 78) || STEPS[STEPS.length - 1]) / 1000;
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (let n = Math.ceil(part.from / step); n * step <= part.to; n += 1) {
      const at = part.x(n * step, width);
      pen.fillStyle = token("line");
      pen.fillRect(at, 0, 1, floor);
      pen.fillStyle = token("muted");
      if (at > 24 && at < width - 24) pen.fillText(written(n * step, step), at, floor + 6);
    }
  }

  /* Where samples are missing. */
  function gaps(pen, found, x, floor) {
    pen.fillStyle = token("sunken");
    found.forEach(([start, end]) => pen.fillRect(x(start), 0, Math.max(x(end) - x(start), 2), floor));
  }

  /* A channel between `top` and `floor`, as high as what is seen of it, with its least and greatest value. */
  function signal(pen, points, part, x, { top, floor, unit }) {
    const found = extremes(points, part.from, part.to);
    if (!found) return;
    const { low, high } = found, room = high - low || Math.abs(high) || 1, middle = (low + high) / 2;
    const y = (value) => top + (floor - top - 6) * (0.5 - (value - middle) / room);
    Object.assign(pen, { fillStyle: token("accent"), strokeStyle: token("accent"), lineWidth: 1, lineJoin: "round", textAlign: "left", textBaseline: "bottom" });
    envelope(pen, points, x, y);
    const short = (value) => String(Number(value.toPrecision(4))).replace("-", "\u2212") + (unit ? " " + unit : "");
    beside(pen, short(low), 4, floor - 1);
    beside(pen, short(high), 4, top + 8);
  }

  /* A text over a chart, which is read on anything. */
  function beside(pen, text, x, y) {
    pen.globalAlpha = 0.8;
    pen.fillStyle = token("surface");
    const left = pen.textAlign === "right" ? x - pen.measureText(text).width : x;
    pen.fillRect(left - 2, y - 14, pen.measureText(text).width + 4, 15);
    pen.globalAlpha = 1;
    pen.fillStyle = token("muted");
    pen.fillText(text, x, y);
  }

  /* The whole recording, and which part of it is shown. */
  function overview(canvas, part, points) {
    const { pen, width, height } = clear(canvas), x = (seconds) => (seconds / part.duration) * width;
    const found = points && extremes(points, 0, part.duration);
    if (found) {
      Object.assign(pen, { fillStyle: token("line-strong"), strokeStyle: token("line-strong"), lineWidth: 1 });
      envelope(pen, points, x, (value) => 3 + (height - 6) * (1 - (value - found.low) / (found.high - found.low || 1)));
    }
    pen.fillStyle = token("accent");
    pen.globalAlpha = 0.2;
    pen.fillRect(x(part.from), 0, Math.max(x(part.to) - x(part.from), 3), height);
    pen.globalAlpha = 1;
    [part.from, part.to].forEach((at) => pen.fillRect(x(at) - 1, 0, 2, height));
  }

  /* Where in the recording one listens. */
  function head(pen, seconds, x, floor) {
    if (seconds === null) return;
    pen.fillStyle = token("ink");
    pen.fillRect(x(seconds), 0, 1.5, floor);
  }

  return { beside, clear, colour, gaps, head, overview, signal, theme, ticks, token, written };
})();
