/* Marking, moving and choosing events on the chart of view.js. What is marked fills in the form below the chart, and the
   form sends it: nothing is changed by a drag alone. */
(function () {
  "use strict";
  const root = document.querySelector("[data-labelling]");
  if (!root) return;
  const { View } = window.atlasSignal, { audio, play } = window.atlasSound;
  const NEAR = 6, CLICK = 4; /* pixels */
  const LONGEST_SOUND = 60; /* seconds */
  const view = new View(root, JSON.parse(document.getElementById("shown").textContent));
  const { told } = view, find = (name) => root.querySelector("[data-" + name + "]");
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
    view.moved.push(() => [["from", view.from], ["to", view.to], ["channel", view.name]].forEach(([name, value]) => {
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
    drag = { x, from: view.from, to: view.to, anchor: other === null ? view.seconds(x) : other, edge: other !== null, far: false };
    view.main.setPointerCapture(e.pointerId);
  });
  view.main.addEventListener("pointermove", (e) => {
    const x = place(e);
    if (!drag) { view.main.style.cursor = opposite(x) === null ? (panning() ? "grab" : "crosshair") : "ew-resize"; return; }
    if (!drag.edge && Math.abs(x - drag.x) < CLICK && !drag.far) return;
    drag.far = true;
    if (panning() && !drag.edge) {
      const by = ((drag.x - x) / view.width) * (drag.to - drag.from);
      view.look(drag.from + by, drag.to + by);
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
  view.main.addEventListener("wheel", (e) => {
    const sideways = e.shiftKey ? e.deltaY : e.deltaX;
    if (e.ctrlKey || e.metaKey) view.zoom(Math.exp(e.deltaY / 300), view.seconds(place(e)));
    else if (Math.abs(sideways) > Math.abs(e.shiftKey ? 0 : e.deltaY)) view.pan(sideways / view.width);
    else return;
    e.preventDefault();
  }, { passive: false });

  const centre = (e) => {
    const box = view.strip.getBoundingClientRect(), span = view.to - view.from;
    const middle = ((e.clientX - box.left) / box.width) * told.duration;
    view.look(middle - span / 2, middle + span / 2);
  };
  view.strip.addEventListener("pointerdown", (e) => { view.strip.setPointerCapture(e.pointerId); centre(e); });
  view.strip.addEventListener("pointermove", (e) => { if (e.buttons) centre(e); });

  /* Keys and buttons -------------------------------------------------------------------------------- */
  const acts = {
    left: () => view.pan(-0.5), right: () => view.pan(0.5), in: () => view.zoom(0.5), out: () => view.zoom(2),
    whole: () => view.look(0, told.duration),
  };
  const KEYS = { ArrowLeft: () => view.pan(-0.2), ArrowRight: () => view.pan(0.2), "+": acts.in, "=": acts.in, "-": acts.out, Home: () => view.look(0, view.to - view.from), End: () => view.look(told.duration - (view.to - view.from), told.duration), Escape: () => { mark(null); view.draw(); } };
  view.main.addEventListener("keydown", (e) => {
    if (!KEYS[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
    KEYS[e.key]();
    e.preventDefault();
  });
  root.addEventListener("click", (e) => {
    const button = e.target.closest("[data-act]");
    if (button) acts[button.dataset.act]();
  });

  /* A line of the table shows its event. */
  document.addEventListener("click", async (e) => {
    const button = e.target.closest("[data-show]");
    if (!button) return;
    const [start, end] = button.dataset.show.split(" ").map(Number), room = Math.max(2 * (end - start), 0.5);
    view.look(start - room, end + room);
    await view.load();
    const event = view.events.find((each) => Math.abs(each.start - start) < 1e-6 && Math.abs(each.end - end) < 1e-6);
    if (event) choose(event);
    view.draw();
    view.main.scrollIntoView({ block: "center" });
    view.main.focus({ preventScroll: true });
  });

  /* Listening --------------------------------------------------------------------------------------- */
  const heard = () => view.marked && view.marked.end > view.marked.start ? view.marked : { start: view.from, end: view.to };
  function hear() {
    const { start, end } = heard(), what = view.marked && view.marked.end > view.marked.start ? "what is marked" : "what is shown";
    listen.hidden = !view.channel.sound;
    listen.querySelector("span").textContent = "Listen to " + (end - start > LONGEST_SOUND ? "the first minute of " : "") + what;
  }
  let begun = 0;
  view.moved.push(hear);
  listen.addEventListener("click", () => {
    const { start, end } = heard();
    begun = start;
    play(listen, told.sound + "?" + new URLSearchParams({ channel: view.name, start, end: Math.min(end, start + LONGEST_SOUND) }));
  });
  const follow = () => {
    view.playing = audio.paused ? null : begun + audio.currentTime;
    view.draw();
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", follow);
  audio.addEventListener("pause", follow);

  const from = parseFloat(kept("from")), to = parseFloat(kept("to"));
  if (to > from) Object.assign(view, { from, to });
  channel.addEventListener("change", () => view.choose(channel.value));
  view.choose(channel.value);
})();
