/* A channel of a recording over time, with its events and what is marked. While an answer is on its way, what is known of
   the part is drawn. */
window.atlasSignal = (function () {
  "use strict";
  const { clear, colour, gaps, head, overview, signal, ticks, token } = window.atlasDrawing, { Part, Points } = window.atlasPart;
  const WAIT = 70; /* milliseconds without a move, before the server is asked */
  const AXIS = 22, LANE = 20, LANES = 3; /* pixels, pixels, rows of labels */
  const MARKED = { label: "" };

  class View {
    constructor(root, told) {
      Object.assign(this, { root, told, part: new Part(told.duration), points: null, events: [], untold: 0, marked: null, chosen: null, playing: null });
      this.main = root.querySelector("[data-chart-signal]");
      this.strip = root.querySelector("[data-chart-whole]");
      this.said = root.querySelector("[data-said]");
      new ResizeObserver(() => this.draw()).observe(this.main);
      document.addEventListener("atlas:theme", () => this.draw());
      this.part.moved.push(() => {
        this.draw();
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.load(), WAIT);
      });
    }

    get channel() { return this.told.channels.find((each) => each.name === this.name); }
    get width() { return Math.max(this.main.clientWidth, 1); }
    x(seconds) { return this.part.x(seconds, this.width); }
    seconds(x) { return this.part.seconds(x, this.width); }

    async choose(name) {
      this.name = name;
      this.points = new Points(this.told.envelope, name, (problem) => { this.said.textContent = "The signal cannot be shown: " + problem; });
      await this.points.loadWhole(this.part);
      this.part.look(this.part.from, this.part.to);
    }

    async load() {
      const asked = this.points, near = await asked.load(this.part, this.width);
      if (!near || asked !== this.points) return;
      Object.assign(this, { events: near.events, untold: near.untold });
      this.said.textContent = near.untold ? near.untold.toLocaleString("en") + " events: zoom in to see them" : "";
      this.draw();
    }

    draw() {
      if (!this.points) return;
      const points = this.points.best(this.part), { pen, width, height } = clear(this.main), x = (seconds) => this.x(seconds);
      const floor = height - AXIS;
      ticks(pen, this.part, width, floor);
      gaps(pen, this.channel.gaps, x, floor);
      if (points) signal(pen, points, this.part, x, { top: LANE + 6, floor, unit: this.channel.unit });
      this.bands(pen, x, floor);
      head(pen, this.playing, x, floor);
      overview(this.strip, this.part, this.points.whole);
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
  }

  return { View };
})();
