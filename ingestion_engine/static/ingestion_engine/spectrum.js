/* The spectrogram of a channel below its chart: how strong each frequency is over time, in the colours of the page. */
window.atlasSpectrum = (function () {
  "use strict";
  const { beside, clear, head, token } = window.atlasDrawing, { Asked } = window.atlasPart;
  const COLUMNS = 800, ROWS = 256, STEPS = 255;
  const STOPS = ["q1", "q2", "q3", "q4", "q5", "q6", "q7"];

  /* Red, green and blue of each level that a byte can tell, from the faintest to the strongest, of the theme. */
  function palette() {
    const stops = STOPS.map(token).map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
    return Array.from({ length: STEPS }, (_, level) => {
      const place = (level / (STEPS - 1)) * (stops.length - 1), below = Math.min(Math.floor(place), stops.length - 2);
      return [0, 1, 2].map((one) => Math.round(stops[below][one] + (place - below) * (stops[below + 1][one] - stops[below][one])));
    });
  }

  /* The levels as a picture, the highest frequency at the top; what is missing is transparent. */
  function picture(found) {
    const { rows, columns } = found, levels = atob(found.levels), colours = palette();
    const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    const pen = canvas.getContext("2d"), image = pen.createImageData(columns, rows);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const level = levels.charCodeAt((rows - 1 - row) * columns + column), at = 4 * (row * columns + column);
        if (level) { image.data.set(colours[level - 1], at); image.data[at + 3] = 255; }
      }
    }
    pen.putImageData(image, 0, 0);
    return canvas;
  }

  class Spectrum {
    constructor(figure, address, channel, failed) {
      const find = (name) => figure.querySelector("[data-" + name + "]");
      Object.assign(this, { figure, channel, found: null, drawn: null, canvas: find("chart-spectrum"), scale: find("scale"), lowest: find("lowest"), highest: find("highest"), sampled: find("sampled") });
      this.asked = new Asked(address, failed);
      this.canvas.setAttribute("aria-label", "Spectrogram of " + channel + ": frequencies over time, darker or brighter where they are stronger");
    }

    get open() { return !this.figure.hidden; }

    async load(part) {
      const found = await this.asked.ask({ channel: this.channel, ...part.wide, columns: COLUMNS, rows: ROWS });
      if (!found) return;
      this.found = found;
      this.paint();
      this.draw(part, this.playing);
    }

    /* The picture and the bar of colours, anew when the theme changes. */
    paint() {
      if (!this.found) return;
      const { found } = this, decibels = (value) => Math.round(value).toString().replace("-", "\u2212") + " dB";
      this.drawn = picture(found);
      this.lowest.textContent = decibels(found.top_db - found.range_db);
      this.highest.textContent = decibels(found.top_db);
      this.sampled.textContent = found.is_sampled ? "Of this long part only some samples were looked at: zoom in to see what is short." : "";
      const { pen, width, height } = clear(this.scale), colours = palette();
      colours.forEach((colour, i) => {
        pen.fillStyle = "rgb(" + colour.join(",") + ")";
        pen.fillRect((i / STEPS) * width, 0, width / STEPS + 1, height);
      });
    }

    draw(part, playing) {
      this.playing = playing;
      if (!this.open || !this.drawn) return;
      const { pen, width, height } = clear(this.canvas), x = (seconds) => part.x(seconds, width), { found } = this;
      pen.imageSmoothingEnabled = true;
      pen.drawImage(this.drawn, x(found.start), 0, x(found.end) - x(found.start), height);
      Object.assign(pen, { textAlign: "left", textBaseline: "bottom" });
      const hertz = (value) => (value >= 1000 ? Number((value / 1000).toPrecision(3)) + " kHz" : Number(value.toPrecision(3)) + " Hz");
      beside(pen, hertz(found.highest_hz), 4, 16);
      beside(pen, hertz(found.highest_hz / 2), 4, height / 2 + 7);
      beside(pen, "0 Hz", 4, height - 2);
      head(pen, playing === undefined ? null : playing, x, height);
    }
  }

  return { Spectrum };
})();
