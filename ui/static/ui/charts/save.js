/* Saves a chart as a picture: <button data-png="id" data-name="file"> gives the chart with this id as file.png. Plotly
   would put the drawing into an image by a blob's address, which a strict policy forbids: an SVG's text is allowed. */
(function () {
  "use strict";
  const SCALE = 2; /* sharp on paper and on fine screens */

  const picture = (address) => new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = address;
  });

  async function png(el) {
    const size = { width: el.clientWidth, height: el.clientHeight };
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--at-surface").trim();
    const figure = { data: el.data, layout: Object.assign({}, el.layout, size, { paper_bgcolor: paper }) };
    const image = await picture(await Plotly.toImage(figure, Object.assign({ format: "svg" }, size)));
    const canvas = Object.assign(document.createElement("canvas"), { width: SCALE * size.width, height: SCALE * size.height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => { canvas.toBlob(done, "image/png"); });
  }

  async function save(button) {
    const blob = await png(document.getElementById(button.dataset.png));
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: button.dataset.name + ".png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-png]");
    if (button) save(button);
  });
})();
