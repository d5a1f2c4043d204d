/* Marking, moving and choosing events on the chart of view.js. What is marked fills in the form below the chart, and the
   form sends it: nothing is changed by a drag alone. */
(function () {
  "use strict";
  const root = document.querySelector("[data-labelling]");
  if (!root) return;
  const { View } = window.atlasSignal, { lead, press, steer } = window.atlasPart, { audio, play } = window.atlasSound;
  const NEAR = 6, CLICK = 4; /* pixels */
  const view = new View(root, JSON.parse(document.getElementById("shown").textContent));
  const { told, part } = view, find = (name) => root.querySelector("[data-" + name + "]");
  const form = find("event-form"), channel = find("channel"), listen = find("listen");
  const field = (name) => form && form.elements.namedItem(name);
  const kept = (name) => (form ? form.querySelector("[data-view=" + name + "]").value : "");
  const fresh = form && { action: form.getAttribute("action"), title: find("form-title").textContent, save: find("save").textContent };
  const encoded = (id) => id.split("/").map(encodeURIComponent).join("/") + "/";

  /* The form ---------------------------------------------------------------------------------------- */
  function fill(values) {
    Object.entries(values).forEach(([name, value]) => { if (field(name)) field(name).value = value === null ? "" : value; });
  }
  const round = (seconds) => Number(seconds.toFixed(6));

  function turn(action, title, save, chosen) {
    form.setAttribute("action", action);
    find("form-title").textContent = title;
    find("save").textContent = save;
    find("let-go").hidden = !chosen && !view.marked;
    find("open-event").hidden = !chosen;
  }

  /* What is marked for a new event; null for nothing. */
  function mark(marked) {
    if (view.chosen) fill({ label: "", car: "", environment: "" });
    view.chosen = null;
    view.marked = marked;
    if (form) {
      fill(marked ? { start: round(marked.start), end: round(marked.end) } : { start: "", end: "" });
      const seen = field("seen");
      if (seen) seen.remove();
      turn(fresh.action, fresh.title, fresh.save, null);
    }
    hear();
  }

  function choose(event) {
    view.chosen = event;
    view.marked = { start: event.start, end: event.end };
    if (form) {
      fill({ start: round(event.start), end: round(event.end), label: event.label, car: event.car, environment: event.environment });
      if (!field("seen")) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "seen" }));
      fill({ seen: event.since });
      turn(told.change + encoded(event.id), "Event " + event.id, "Save the change", event);
      find("open-event").href = told.event + encoded(event.id);
    }
    hear();
  }

  function move(start, end) {
    view.marked = { start: Math.min(start, end), end: Math.max(start, end) };
    fill({ start: round(view.marked.start), end: round(view.marked.end) });
    view.draw();
    hear();
  }

  if (form) {
    find("let-go").addEventListener("click", () => { mark(null); view.draw(); });
    ["start", "end"].forEach((name) => field(name).addEventListener("input", () => {
      const start = parseFloat(field("start").value), end = parseFloat(field("end").value || field("start").value);
      if (Number.isFinite(start) && end >= start) { view.marked = { start, end }; view.draw(); hear(); }
    }));
    part.moved.push(() => [["from", part.from], ["to", part.to], ["channel", view.name]].forEach(([name, value]) => {
      form.querySelector("[data-view=" + name + "]").value = value;
    }));
  }

  /* The pointer ------------------------------------------------------------------------------------- */
  const place = (e) => e.clientX - view.main.getBoundingClientRect().left;
  const panning = () => root.querySelector("[name=drag]:checked").value === "pan";
  const at = (x) => view.events.filter((each) => view.x(each.start) - 2 <= x && view.x(each.end) + 2 >= x)
    .sort((a, b) => (a.end - a.start) - (b.end - b.start))[0];

  /* The other end of what is marked, if the pointer is at one end of it. */
  function opposite(x) {
    if (!view.marked || !form) return null;
    const { start, end } = view.marked;
    if (Math.abs(view.x(start) - x) <= NEAR) return end;
    return Math.abs(view.x(end) - x) <= NEAR ? start : null;
  }

  let drag = null;
  view.main.addEventListener("pointerdown", (e) => {
    if (e.button) return;
    const x = place(e), other = opposite(x);
    drag = { x, from: part.from, to: part.to, anchor: other === null ? view.seconds(x) : other, edge: other !== null, far: false };
    view.main.setPointerCapture(e.pointerId);
  });
  view.main.addEventListener("pointermove", (e) => {
    const x = place(e);
    if (!drag) { view.main.style.cursor = opposite(x) === null ? (panning() ? "grab" : "crosshair") : "ew-resize"; return; }
    if (!drag.edge && Math.abs(x - drag.x) < CLICK && !drag.far) return;
    drag.far = true;
    if (panning() && !drag.edge) {
      const by = ((drag.x - x) / view.width) * (drag.to - drag.from);
      part.look(drag.from + by, drag.to + by);
    } else if (form) {
      if (!drag.edge && (view.chosen || !view.marked)) mark({ start: drag.anchor, end: drag.anchor });
      move(drag.anchor, view.seconds(x));
    }
  });
  view.main.addEventListener("pointerup", (e) => {
    if (!drag) return;
    if (!drag.far && !drag.edge) { const event = at(place(e)); if (event) choose(event); else mark(null); }
    else if (drag.far && form && !view.chosen && !panning()) field("label").focus({ preventScroll: true });
    drag = null;
    view.draw();
  });
  view.main.addEventListener("pointercancel", () => { drag = null; });
  steer(view.main, part, { Escape: () => { mark(null); view.draw(); } });
  lead(view.strip, part);
  press(root, part);

  /* A line of the table shows its event. */
  document.addEventListener("click", async (e) => {
    const button = e.target.closest("[data-show]");
    if (!button) return;
    const [start, end] = button.dataset.show.split(" ").map(Number), room = Math.max(2 * (end - start), 0.5);
    part.look(start - room, end + room);
    await view.load();
    const event = view.events.find((each) => Math.abs(each.start - start) < 1e-6 && Math.abs(each.end - end) < 1e-6);
    if (event) choose(event);
    view.draw();
    view.main.scrollIntoView({ block: "center" });
    view.main.focus({ preventScroll: true });
  });

  /* Listening --------------------------------------------------------------------------------------- */
  const heard = () => view.marked && view.marked.end > view.marked.start ? view.marked : { start: part.from, end: part.to };
  function hear() {
    const what = view.marked && view.marked.end > view.marked.start ? "what is marked" : "what is shown";
    listen.hidden = !view.channel.sound;
    listen.querySelector("span").textContent = "Listen to " + what;
  }
  let begun = 0;
  part.moved.push(hear);
  listen.addEventListener("click", () => {
    const { start, end } = heard();
    begun = start;
    play(listen, told.sound + "?" + new URLSearchParams({ channel: view.name, start, end }));
  });
  const follow = () => {
    view.playing = audio.paused ? null : begun + audio.currentTime;
    view.draw();
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", follow);
  audio.addEventListener("pause", follow);

  const from = parseFloat(kept("from")), to = parseFloat(kept("to"));
  if (to > from) Object.assign(part, { from, to });
  channel.addEventListener("change", () => view.choose(channel.value));
  view.choose(channel.value);
})();
