/* The part of a recording that charts show, how one moves through it, and what is known of a channel there: that is asked of
   the server for the part that is shown, so a long recording is as quick as a short one. */
window.atlasPart = (function () {
  "use strict";
  const NARROWEST = 0.002; /* seconds */
  const MOST = 4000, OF_WHOLE = 1500; /* points: what the server gives at once, and what is asked of the whole */

  /* From where to where charts show the recording, in seconds; those in `moved` hear of each change. */
  class Part {
    constructor(duration) { Object.assign(this, { duration, from: 0, to: duration, moved: [] }); }
    get span() { return this.to - this.from; }
    x(seconds, width) { return ((seconds - this.from) / this.span) * width; }
    seconds(x, width) { return Math.min(Math.max(this.from + (x / width) * this.span, 0), this.duration); }

    /* Show a part, kept within the recording. */
    look(from, to) {
      const span = Math.min(Math.max(to - from, NARROWEST), this.duration);
      this.from = Math.min(Math.max(from, 0), this.duration - span);
      this.to = this.from + span;
      this.moved.forEach((hear) => hear());
    }
    pan(share) { const by = share * this.span; this.look(this.from + by, this.to + by); }
    zoom(factor, at = (this.from + this.to) / 2) { this.look(at - (at - this.from) * factor, at + (this.to - at) * factor); }

    /* What is shown and a half of it to either side, so that there is something to see while one moves. */
    get wide() {
      const margin = this.span / 2;
      return { start: Math.max(this.from - margin, 0), end: Math.min(this.to + margin, this.duration) };
    }
  }

  /* Answers to questions of one kind: a newer question makes an older one void, which is answered by null. */
  class Asked {
    constructor(address, failed) { Object.assign(this, { address, failed, abort: null }); }
    async ask(parameters) {
      if (this.abort) this.abort.abort();
      this.abort = new AbortController();
      try {
        const answer = await fetch(this.address + "?" + new URLSearchParams(parameters), { signal: this.abort.signal, headers: { Accept: "application/json" } });
        const found = await answer.json();
        if (!answer.ok) throw new Error(found.detail);
        return { ...found, from: parameters.start, until: parameters.end };
      } catch (error) {
        if (error.name !== "AbortError") this.failed(error.message);
        return null;
      }
    }
    stop() { if (this.abort) this.abort.abort(); }
  }

  /* What is known of a channel: of the whole roughly, of the part that was asked for last closely. */
  class Points {
    constructor(address, channel, failed) {
      Object.assign(this, { channel, whole: null, near: null, ofWhole: new Asked(address, failed), ofPart: new Asked(address, failed) });
    }
    async loadWhole(part) {
      this.whole = await this.ofWhole.ask({ channel: this.channel, start: 0, end: part.duration, points: OF_WHOLE });
    }
    async load(part, width) {
      const near = await this.ofPart.ask({ channel: this.channel, ...part.wide, points: Math.min(Math.max(Math.round(2 * width), 2), MOST) });
      if (near) this.near = near;
      return near;
    }
    best(part) { return this.near && this.near.from <= part.from && this.near.until >= part.to ? this.near : this.whole; }
  }

  /* Ctrl and the wheel zoom, the wheel sideways moves; so do keys while the chart has the focus. `more` has other keys. */
  function steer(canvas, part, more = {}) {
    const KEYS = { ArrowLeft: () => part.pan(-0.2), ArrowRight: () => part.pan(0.2), "+": () => part.zoom(0.5), "=": () => part.zoom(0.5), "-": () => part.zoom(2), Home: () => part.look(0, part.span), End: () => part.look(part.duration - part.span, part.duration), ...more };
    canvas.addEventListener("keydown", (e) => {
      if (!KEYS[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
      KEYS[e.key]();
      e.preventDefault();
    });
    canvas.addEventListener("wheel", (e) => {
      const sideways = e.shiftKey ? e.deltaY : e.deltaX, box = canvas.getBoundingClientRect();
      if (e.ctrlKey || e.metaKey) part.zoom(Math.exp(e.deltaY / 300), part.seconds(e.clientX - box.left, box.width));
      else if (Math.abs(sideways) > Math.abs(e.shiftKey ? 0 : e.deltaY)) part.pan(sideways / box.width);
      else return;
      e.preventDefault();
    }, { passive: false });
  }

  /* The strip of the whole recording: what is pressed becomes the middle of what is shown. */
  function lead(strip, part) {
    const centre = (e) => {
      const box = strip.getBoundingClientRect(), span = part.span;
      const middle = ((e.clientX - box.left) / box.width) * part.duration;
      part.look(middle - span / 2, middle + span / 2);
    };
    strip.addEventListener("pointerdown", (e) => { strip.setPointerCapture(e.pointerId); centre(e); });
    strip.addEventListener("pointermove", (e) => { if (e.buttons) centre(e); });
  }

  /* The buttons within a card. */
  function press(root, part) {
    const acts = { left: () => part.pan(-0.5), right: () => part.pan(0.5), in: () => part.zoom(0.5), out: () => part.zoom(2), whole: () => part.look(0, part.duration) };
    root.addEventListener("click", (e) => {
      const button = e.target.closest("[data-act]");
      if (button) acts[button.dataset.act]();
    });
  }

  return { Asked, Part, Points, lead, press, steer };
})();
