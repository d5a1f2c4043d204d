/* A channel of a recording over time, on a canvas: what is drawn is asked of the server for the part that is shown, so a
   long recording is as quick as a short one. While an answer is on its way, what is known of the part is drawn. */
window.atlasSignal = (function () {
  "use strict";
  const NARROWEST = 0.002; /* seconds */
  const WAIT = 70; /* milliseconds without a move, before the server is asked */
  const MOST = 4000; /* points that the server gives at once */
  const AXIS = 22, LANE = 20, LANES = 3; /* pixels, pixels, rows of labels */
  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000, 900000, 1800000, 3600000, 7200000, 21600000, 43200000, 86400000];
  const COLOURS = {
    light: ["#2556c2", "#b3261e", "#0a6b52", "#a85b00", "#7a3fb5", "#00708a", "#a0266f", "#5b6b00"],
    dark: ["#8db2ff", "#ff9086", "#63cfa9", "#f0a650", "#cda6ff", "#6fd0e6", "#ff9bd0", "#c9d85b"],
  };
  const MARKED = { label: "" };

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

  class View {
    constructor(root, told) {
      Object.assign(this, { root, told, from: 0, to: told.duration, events: [], untold: 0, marked: null, chosen: null, playing: null, near: null, whole: null, moved: [] });
      this.main = root.querySelector("[data-chart-signal]");
      this.strip = root.querySelector("[data-chart-whole]");
      this.said = root.querySelector("[data-said]");
      new ResizeObserver(() => this.draw()).observe(this.main);
      document.addEventListener("atlas:theme", () => this.draw());
    }

    get channel() { return this.told.channels.find((each) => each.name === this.name); }
    get width() { return Math.max(this.main.clientWidth, 1); }
    x(seconds) { return ((seconds - this.from) / (this.to - this.from)) * this.width; }
    seconds(x) { return Math.min(Math.max(this.from + (x / this.width) * (this.to - this.from), 0), this.told.duration); }

    async choose(name) {
      this.name = name;
      this.near = this.whole = null;
      this.whole = await this.ask(0, this.told.duration, 1500);
      this.look(this.from, this.to);
    }

    /* Show a part, kept within the recording. */
    look(from, to) {
      const { duration } = this.told;
      const span = Math.min(Math.max(to - from, NARROWEST), duration);
      this.from = Math.min(Math.max(from, 0), duration - span);
      this.to = this.from + span;
      this.moved.forEach((hear) => hear());
      this.draw();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.load(), WAIT);
    }
    pan(share) { const by = share * (this.to - this.from); this.look(this.from + by, this.to + by); }
    zoom(factor, at = (this.from + this.to) / 2) { this.look(at - (at - this.from) * factor, at + (this.to - at) * factor); }

    /* Ask for the part that is shown, and half of it to either side. */
    async load() {
      const margin = (this.to - this.from) / 2, name = this.name;
      const from = Math.max(this.from - margin, 0), to = Math.min(this.to + margin, this.told.duration);
      const near = await this.ask(from, to, Math.min(Math.round(2 * this.width), MOST));
      if (!near || name !== this.name) return;
      Object.assign(this, { near, events: near.events, untold: near.untold });
      this.said.textContent = near.untold ? near.untold.toLocaleString("en") + " events: zoom in to see them" : "";
      this.moved.forEach((hear) => hear());
      this.draw();
    }

    async ask(start, end, points) {
      const query = new URLSearchParams({ channel: this.name, start, end, points });
      if (this.asking) this.asking.abort();
      this.asking = new AbortController();
      try {
        const answer = await fetch(this.told.envelope + "?" + query, { signal: this.asking.signal, headers: { Accept: "application/json" } });
        const found = await answer.json();
        if (!answer.ok) throw new Error(found.detail);
        return { ...found, from: start, to: end };
      } catch (error) {
        if (error.name !== "AbortError") this.said.textContent = "The signal cannot be shown: " + error.message;
        return null;
      }
    }

    draw() {
      const points = this.near && this.near.from <= this.from && this.near.to >= this.to ? this.near : this.whole;
      const { pen, width, height } = clear(this.main), x = (seconds) => this.x(seconds);
      const floor = height - AXIS;
      this.ticks(pen, width, floor);
      this.missing(pen, x, floor);
      if (points) this.signal(pen, points, x, floor);
      this.bands(pen, x, floor);
      if (this.playing !== null) { pen.fillStyle = token("ink"); pen.fillRect(x(this.playing), 0, 1.5, floor); }
      this.overview();
    }

    ticks(pen, width, floor) {
      const span = this.to - this.from;
      const step = (STEPS.find((each) => (each / 1000 / span) * width >= 78) || STEPS[STEPS.length - 1]) / 1000;
      pen.textBaseline = "top";
      pen.textAlign = "center";
      for (let n = Math.ceil(this.from / step); n * step <= this.to; n += 1) {
        const at = this.x(n * step);
        pen.fillStyle = token("line");
        pen.fillRect(at, 0, 1, floor);
        pen.fillStyle = token("muted");
        if (at > 24 && at < width - 24) pen.fillText(written(n * step, step), at, floor + 6);
      }
    }

    missing(pen, x, floor) {
      pen.fillStyle = token("sunken");
      this.channel.gaps.forEach(([start, end]) => pen.fillRect(x(start), 0, Math.max(x(end) - x(start), 2), floor));
    }

    signal(pen, points, x, floor) {
      const seen = (i) => points.times[i + 1] >= this.from && points.times[i - 1] <= this.to;
      const known = (values) => values.filter((value, i) => value !== null && (seen(i) || values.length < 4));
      const low = Math.min(...known(points.minima)), high = Math.max(...known(points.maxima));
      if (!Number.isFinite(low)) return;
      const room = (high - low || Math.abs(high) || 1) / 2, middle = (low + high) / 2, top = LANE + 6;
      const y = (value) => top + (floor - top - 6) * (0.5 - (value - middle) / (2 * room));
      Object.assign(pen, { fillStyle: token("accent"), strokeStyle: token("accent"), lineWidth: 1, lineJoin: "round", textAlign: "left", textBaseline: "bottom" });
      envelope(pen, points, x, y);
      pen.fillStyle = token("muted");
      const unit = this.channel.unit ? " " + this.channel.unit : "";
      const short = (value) => String(Number(value.toPrecision(4))).replace("-", "\u2212") + unit;
      pen.fillText(short(low), 4, floor - 1);
      pen.fillText(short(high), 4, top + 8);
    }

    /* The events and what is marked, each with its label above it, in rows so that none covers another. */
    bands(pen, x, floor) {
      const ends = new Array(LANES).fill(-1);
      const marked = this.marked && !this.chosen ? [{ ...MARKED, ...this.marked, isMark: true }] : [];
      const own = (event) => (this.chosen && event.id === this.chosen.id ? { ...event, ...this.marked } : event);
      this.events.map(own).concat(marked).sort((a, b) => a.start - b.start).forEach((event) => {
        const left = x(event.start), right = Math.max(x(event.end), left + 2);
        if (right < 0 || left > this.width) return;
        const strong = event.isMark || (this.chosen && event.id === this.chosen.id), ink = event.isMark ? token("ink") : colour(event.label, this.told.labels);
        pen.fillStyle = ink;
        pen.globalAlpha = strong ? 0.3 : 0.16;
        pen.fillRect(left, 0, right - left, floor);
        pen.globalAlpha = 1;
        [left, right].forEach((at) => pen.fillRect(at - (strong ? 1 : 0), 0, strong ? 2.5 : 1, floor));
        if (!event.isMark) this.tell(pen, event, Math.max(left, 0), ink, ends, strong);
      });
    }

    tell(pen, event, left, ink, ends, strong) {
      const text = event.label || "unlabelled", wide = pen.measureText(text).width + 12;
      let lane = ends.findIndex((end) => end <= left);
      if (lane < 0) { if (!strong) return; lane = 0; }
      ends[lane] = left + wide + 3;
      pen.fillStyle = token("surface");
      pen.fillRect(left + 1, lane * LANE + 2, wide, LANE - 4);
      pen.fillStyle = ink;
      pen.fillRect(left + 1, lane * LANE + 2, 3, LANE - 4);
      Object.assign(pen, { fillStyle: token("ink"), textAlign: "left", textBaseline: "middle" });
      pen.fillText(text, left + 8, lane * LANE + LANE / 2);
    }

    overview() {
      const { pen, width, height } = clear(this.strip), { duration } = this.told;
      const x = (seconds) => (seconds / duration) * width;
      if (this.whole) {
        const known = (values) => values.filter((value) => value !== null);
        const low = Math.min(...known(this.whole.minima)), high = Math.max(...known(this.whole.maxima));
        Object.assign(pen, { fillStyle: token("line-strong"), strokeStyle: token("line-strong"), lineWidth: 1 });
        envelope(pen, this.whole, x, (value) => 3 + (height - 6) * (1 - (value - low) / (high - low || 1)));
      }
      pen.fillStyle = token("accent");
      pen.globalAlpha = 0.2;
      pen.fillRect(x(this.from), 0, Math.max(x(this.to) - x(this.from), 3), height);
      pen.globalAlpha = 1;
      [this.from, this.to].forEach((at) => pen.fillRect(x(at) - 1, 0, 2, height));
    }
  }

  return { View };
})();
