/* The signals of a recording: those of the chosen channels below each other, all at the same time. */
(function () {
  "use strict";
  const root = document.querySelector("[data-viewer]");
  if (!root) return;
  const { clear, colour, gaps, head, overview, signal, ticks, token, written } = window.atlasDrawing;
  const { Part, Points, lead, press, steer } = window.atlasPart, { Spectrum } = window.atlasSpectrum, { audio, play } = window.atlasSound;
  const AXIS = 22, TOP = 10, CLICK = 4; /* pixels */
  const WAIT = 70; /* milliseconds without a move, before the server is asked */
  const MOST_PLOTS = 16;
  const told = JSON.parse(document.getElementById("shown").textContent), part = new Part(told.duration);
  const find = (name) => root.querySelector("[data-" + name + "]");
  const boxes = Array.from(find("sensors").querySelectorAll("input")), plots = new Map();
  const form = find("export"), save = find("save"), said = find("said"), strip = find("chart-whole");
  let marked = null, playing = null, heard = null;

  const round = (seconds) => Number(seconds.toFixed(6));
  const failed = (problem) => { said.textContent = "This cannot be shown: " + problem; };

  /* A channel --------------------------------------------------------------------------------------- */
  class Plot {
    constructor(channel) {
      const node = find("plot").content.firstElementChild.cloneNode(true), seek = (name) => node.querySelector("[data-" + name + "]");
      Object.assign(this, { node, channel, canvas: seek("chart-signal"), events: [], listen: seek("listen"), spectrumButton: seek("spectrum") });
      this.points = new Points(told.envelope, channel.name, failed);
      this.spectrum = new Spectrum(seek("figure"), told.spectrogram, channel.name, failed);
      seek("name").textContent = channel.name + (channel.unit ? " in " + channel.unit : "");
      this.canvas.setAttribute("aria-label", channel.name + " over time. The tables below say what it is like. Arrow keys move along, plus and minus zoom.");
      this.listen.hidden = !channel.sound;
      this.listen.setAttribute("aria-label", "Listen to " + channel.name);
      this.spectrumButton.hidden = !channel.spectrum;
      this.spectrumButton.setAttribute("aria-label", "Spectrogram of " + channel.name);
      seek("close").setAttribute("aria-label", "Close " + channel.name);
      seek("close").addEventListener("click", () => choose(channel.name, false));
      this.listen.addEventListener("click", () => hear(this));
      this.spectrumButton.addEventListener("click", () => this.turn());
      steer(this.canvas, part, { Escape: () => mark(null) });
      point(this.canvas);
      this.resized = new ResizeObserver(() => this.draw());
      this.resized.observe(this.canvas);
    }

    turn() {
      this.spectrum.figure.hidden = this.spectrum.open;
      this.spectrumButton.setAttribute("aria-pressed", String(this.spectrum.open));
      if (this.spectrum.open) this.spectrum.load(part);
    }

    async load() {
      if (this.spectrum.open) this.spectrum.load(part);
      const near = await this.points.load(part, this.canvas.clientWidth);
      if (near) { this.events = near.events || []; this.draw(); }
    }

    draw() {
      const { pen, width, height } = clear(this.canvas), x = (seconds) => part.x(seconds, width), floor = height - AXIS;
      const points = this.points.best(part);
      ticks(pen, part, width, floor);
      gaps(pen, this.channel.gaps, x, floor);
      if (points) signal(pen, points, part, x, { top: TOP, floor, unit: this.channel.unit });
      drops(pen, x);
      this.events.forEach((event) => band(pen, x(event.start), x(event.end), floor, colour(event.label, [])));
      if (marked) band(pen, x(marked.start), x(marked.end), floor, token("ink"));
      head(pen, playing, x, floor);
      this.spectrum.draw(part, playing);
    }

    stop() { this.resized.disconnect(); this.node.remove(); }
  }

  function band(pen, left, right, floor, ink) {
    pen.fillStyle = ink;
    pen.globalAlpha = 0.16;
    pen.fillRect(left, 0, Math.max(right - left, 2), floor);
    pen.globalAlpha = 1;
    [left, Math.max(right, left + 2)].forEach((at) => pen.fillRect(at, 0, 1, floor));
  }

  /* Where messages were dropped: a mark at the top. */
  function drops(pen, x) {
    pen.fillStyle = token("bad");
    told.drops.forEach((drop) => {
      const at = x(drop.seconds);
      pen.beginPath();
      pen.moveTo(at - 4, 0);
      pen.lineTo(at + 4, 0);
      pen.lineTo(at, 8);
      pen.fill();
    });
  }

  /* All of them ------------------------------------------------------------------------------------- */
  function draw() {
    plots.forEach((plot) => plot.draw());
    const first = plots.values().next().value;
    overview(strip, part, first ? first.points.whole : null);
  }

  let timer = 0;
  part.moved.push(() => {
    draw();
    tell();
    clearTimeout(timer);
    timer = setTimeout(() => { plots.forEach((plot) => plot.load()); keep(); }, WAIT);
  });

  /* The address holds the view, so that it can be sent to others. */
  function keep() {
    const query = new URLSearchParams(Array.from(plots.keys(), (name) => ["channel", name]));
    if (part.span < told.duration) { query.set("from", round(part.from)); query.set("to", round(part.to)); }
    history.replaceState(null, "", "?" + query);
  }

  function tell() {
    const { start, end } = chosenPart();
    const step = part.span / 1000;
    find("shown-part").textContent = [part.from, part.to].map((at) => written(at, step)).join(" to ") + " of " + written(told.duration, 1);
    form.elements.start.value = round(start);
    form.elements.end.value = round(end);
    save.disabled = !plots.size;
    save.querySelector("span").textContent = plots.size ? "Export " + plots.size + (plots.size > 1 ? " channels" : " channel") : "Export";
    find("closer").hidden = !marked;
    find("nothing").hidden = plots.size > 0;
    find("exported").replaceChildren(...Array.from(plots.keys(), (value) => Object.assign(document.createElement("input"), { type: "hidden", name: "channel", value })));
  }

  async function choose(name, wanted) {
    const box = boxes.find((each) => each.value === name), channel = told.channels.find((each) => each.name === name);
    if (!box || wanted === plots.has(name)) return;
    if (wanted && plots.size >= MOST_PLOTS) {
      box.checked = false;
      said.textContent = MOST_PLOTS + " channels are shown at once: take one away first.";
      return;
    }
    box.checked = wanted;
    if (!wanted) { plots.get(name).stop(); plots.delete(name); tell(); keep(); draw(); return; }
    const plot = new Plot(channel);
    plots.set(name, plot);
    find("plots").append(plot.node);
    tell();
    keep();
    await plot.points.loadWhole(part);
    draw();
    plot.load();
  }
  boxes.forEach((box) => box.addEventListener("change", () => choose(box.value, box.checked)));
  find("none").addEventListener("click", () => Array.from(plots.keys()).forEach((name) => choose(name, false)));

  /* The pointer ------------------------------------------------------------------------------------- */
  function mark(found) { marked = found; tell(); draw(); }
  const chosenPart = () => marked || { start: part.from, end: part.to };

  function point(canvas) {
    const place = (e) => e.clientX - canvas.getBoundingClientRect().left, at = (x) => part.seconds(x, canvas.clientWidth);
    let drag = null;
    canvas.addEventListener("pointerdown", (e) => {
      if (e.button) return;
      drag = { x: place(e), from: part.from, to: part.to, anchor: at(place(e)), far: false };
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener("pointermove", (e) => {
      if (!drag || (!drag.far && Math.abs(place(e) - drag.x) < CLICK)) return;
      drag.far = true;
      if (root.querySelector("[name=drag]:checked").value === "pan") {
        const by = ((drag.x - place(e)) / canvas.clientWidth) * (drag.to - drag.from);
        part.look(drag.from + by, drag.to + by);
      } else {
        const other = at(place(e));
        mark({ start: Math.min(drag.anchor, other), end: Math.max(drag.anchor, other) });
      }
    });
    canvas.addEventListener("pointerup", () => {
      if (drag && !drag.far) { if (heard && !audio.paused) audio.currentTime = Math.max(drag.anchor - heard, 0); else mark(null); }
      drag = null;
    });
    canvas.addEventListener("pointercancel", () => { drag = null; });
  }

  find("closer").addEventListener("click", () => { const { start, end } = marked; mark(null); part.look(start, end); });
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-show]");
    if (!button) return;
    const [start, end] = button.dataset.show.split(" ").map(Number), room = Math.max(2 * (end - start), 0.5);
    part.look(start - room, end + room);
    find("chart-whole").scrollIntoView({ block: "center" });
  });
  lead(strip, part);
  press(root, part);

  /* Listening --------------------------------------------------------------------------------------- */
  function hear(plot) {
    const { start, end } = chosenPart();
    heard = start;
    play(plot.listen, told.sound + "?" + new URLSearchParams({ channel: plot.channel.name, start, end }));
  }
  const follow = () => {
    playing = audio.paused ? null : heard + audio.currentTime;
    draw();
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", follow);
  audio.addEventListener("pause", follow);

  new ResizeObserver(draw).observe(strip);
  document.addEventListener("atlas:theme", () => { plots.forEach((plot) => plot.spectrum.paint()); draw(); });
  const asked = new URLSearchParams(location.search), from = parseFloat(asked.get("from")), to = parseFloat(asked.get("to"));
  if (to > from) part.look(from, to);
  boxes.forEach((box) => { box.checked = false; });
  const first = asked.getAll("channel");
  (first.length ? first : told.channels.slice(0, 1).map((each) => each.name)).forEach((name) => choose(name, true));
  tell();
})();
