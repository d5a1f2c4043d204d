/* Plays one sound at a time. A button with data-play plays the address that it names, and stops it if it is playing. The
   browser's own controls are not used, since they write styles into the page, which a strict policy forbids. */
window.atlasSound = (function () {
  "use strict";
  const audio = new Audio();
  let button = null;

  function press(pressed) { if (button) button.setAttribute("aria-pressed", String(pressed)); }
  ["pause", "ended", "error"].forEach((event) => audio.addEventListener(event, () => press(false)));
  audio.addEventListener("play", () => press(true));

  function play(by, address) {
    const playing = !audio.paused && button === by;
    audio.pause();
    if (playing) return;
    press(false);
    button = by;
    audio.src = address;
    audio.play().catch(() => press(false));
  }

  document.addEventListener("click", (e) => {
    const by = e.target.closest("[data-play]");
    if (by) play(by, by.dataset.play);
  });

  return { audio, play };
})();
