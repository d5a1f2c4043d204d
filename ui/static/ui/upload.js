/* Files that are dropped or chosen: hashed, sent in parts, gone on with after a lost connection, one after the other. */
(function () {
  "use strict";
  const form = document.querySelector("[data-upload]");
  if (!form) return;
  const config = JSON.parse(document.getElementById("upload-config").textContent);
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const list = document.querySelector("[data-uploads]"), shape = document.getElementById("upload-row");
  const drop = form.querySelector("[data-drop]"), input = form.querySelector("input[type=file]");
  const LONGEST_WAIT_SECONDS = 30;
  const waiting = [];
  let busy = false, leaving = false;

  class Refused extends Error {}
  class Lost extends Error {}
  class Cancelled extends Error {}

  function size(bytes) {
    const units = ["B", "KiB", "MiB", "GiB"];
    let unit = 0, left = bytes;
    while (left >= 1024 && unit < 3) { left /= 1024; unit++; }
    return left.toLocaleString("en", { maximumFractionDigits: unit ? 1 : 0 }) + " " + units[unit];
  }

  const suffix = (file) => (/\.[^.]*$/.exec(file.name) || [""])[0];
  const isBundle = (file) => suffix(file) === config.bundle;

  function objection(file) {
    if (!config.suffixes.includes(suffix(file))) return "A file that ends in " + config.suffixes.join(", ") + " is wanted.";
    if (!file.size) return "The file is empty.";
    if (file.size > config.most_bytes) return "The file has " + size(file.size) + "; " + size(config.most_bytes) + " are allowed. An administrator can allow more.";
    return "";
  }

  /* One line of the list. */
  class Row {
    constructor(file) {
      this.el = shape.content.firstElementChild.cloneNode(true);
      this.find("name").textContent = file.name;
      this.find("size").textContent = size(file.size);
      this.bar = this.find("bar");
      this.bar.setAttribute("aria-label", "How much of " + file.name + " is sent");
      this.bar.max = file.size || 1;
      this.find("cancel").setAttribute("aria-label", "Cancel " + file.name);
      this.find("cancel").addEventListener("click", () => { this.cancelled = true; if (this.request) this.request.abort(); if (this.wake) this.wake(); });
      list.hidden = false;
      list.append(this.el);
    }
    find(name) { return this.el.querySelector("[data-" + name + "]"); }
    tell(text, bytes) {
      if (this.cancelled) throw new Cancelled();
      const told = this.find("told");
      if (told.textContent !== text) told.textContent = text; /* else screen readers say it again and again */
      this.bar.hidden = bytes === undefined;
      if (bytes !== undefined) this.bar.value = bytes;
    }
    end(tone, text) {
      this.el.classList.add("is-" + tone);
      this.find("icon-" + tone).hidden = false;
      this.find("icon-busy").hidden = true;
      this.find("told").textContent = text;
      this.bar.hidden = true;
      this.find("cancel").hidden = true;
    }
    link(text, href) {
      const a = this.find("link");
      a.textContent = text;
      a.href = href;
      a.hidden = false;
    }
  }

  /* A request with the session; `row` shows how much of the body is sent, and can abort it. */
  function ask(method, path, row, body, headers, begins) {
    return new Promise((resolve, reject) => {
      const request = row.request = new XMLHttpRequest();
      request.open(method, config.uploads + path);
      request.setRequestHeader("X-CSRFToken", token);
      Object.entries(headers || {}).forEach(([name, value]) => request.setRequestHeader(name, value));
      if (begins !== undefined) request.upload.onprogress = (e) => { row.bar.value = begins + e.loaded; };
      request.onabort = () => reject(new Cancelled());
      request.onerror = () => reject(new Lost());
      request.onload = () => {
        row.request = null;
        let told = {};
        try { told = JSON.parse(request.responseText || "{}"); } catch (e) { /* a proxy answered, with a page */ }
        if (request.status < 300 || request.status === 409 && Number.isInteger(told.received_bytes)) resolve(told);
        else if (request.status === 404) resolve(null);
        else if (request.status >= 500 || request.status === 429) reject(new Lost());
        else reject(new Refused(told.detail || "The server answered with error " + request.status + "."));
      };
      request.send(body);
    });
  }

  const start = (file, digest, row) => ask("POST", "", row, JSON.stringify({ name: file.name, size_bytes: file.size, sha256: digest }), { "Content-Type": "application/json" });

  /* Where the upload stands: the one that was begun before, if the server still has it, else a new one. */
  async function standing(file, digest, row) {
    const id = config.known[digest];
    const found = id ? await ask("GET", "/" + id, row) : null;
    const state = found || await start(file, digest, row);
    config.known[digest] = state.id;
    return state;
  }

  async function parts(file, digest, row) {
    let state = await standing(file, digest, row);
    const done = () => state.result || (!isBundle(file) && state.received_bytes >= file.size);
    while (!done()) {
      const begins = state.received_bytes, end = Math.min(begins + state.part_bytes, file.size);
      row.tell(end < file.size || begins < end ? "Sending" : "Checking", begins);
      const path = "/" + config.known[digest] + (isBundle(file) ? "" : "?plain=true");
      const told = await ask("PUT", path, row, file.slice(begins, end), { "Content-Type": "application/octet-stream", "Upload-Offset": begins }, begins);
      state = told ? { ...state, ...told } : await standing(file, digest, row);
    }
    return state;
  }

  function pause(row, seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      row.wake = () => { clearTimeout(timer); resolve(); };
      window.addEventListener("online", row.wake, { once: true });
    });
  }

  async function persistently(file, digest, row) {
    for (let wait = 1; ; wait = Math.min(2 * wait, LONGEST_WAIT_SECONDS)) {
      try {
        return await parts(file, digest, row);
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        row.tell("No connection. Goes on by itself where it stopped; next try in " + wait + " s.", row.bar.value);
        await pause(row, wait);
      }
    }
  }

  function arrived(file, state, row) {
    const page = config.page + state.id + "/";
    if (!state.result) {
      row.end("info", "It is here. Say what it is: a few fields, most of them filled in.");
      row.link("Describe it", page);
      if (!waiting.length && list.children.length === 1) { leaving = true; location.assign(page); }
      return;
    }
    row.end("ok", state.result.known ? "Atlas has this model already." : "Accepted.");
    const place = row.find("arrival");
    place.setAttribute("hx-get", page);
    place.setAttribute("hx-select", "[data-arrival]");
    place.setAttribute("hx-trigger", "load");
    place.setAttribute("hx-swap", "innerHTML");
    htmx.process(place);
  }

  async function send(file, row) {
    let digest = "";
    try {
      digest = await window.atlasSha256(file, (bytes) => row.tell("Reading", bytes));
      const state = await persistently(file, digest, row);
      if (state.result) delete config.known[digest];
      arrived(file, state, row);
    } catch (error) {
      if (error instanceof Cancelled) {
        const id = config.known[digest];
        delete config.known[digest];
        row.end("idle", "Cancelled.");
        if (id) ask("DELETE", "/" + id, row).catch(() => { /* the server forgets it by itself a day later */ });
      } else if (error instanceof Refused) {
        delete config.known[digest];
        row.end("bad", "Refused: " + error.message);
      } else {
        row.end("bad", "The file cannot be read any more. Choose it again.");
      }
    }
  }

  async function work() {
    if (busy) return;
    busy = true;
    while (waiting.length) {
      const [file, row] = waiting.shift();
      await send(file, row);
    }
    busy = false;
  }

  function take(files) {
    Array.from(files).forEach((file) => {
      const row = new Row(file), wrong = objection(file);
      if (wrong) { row.end("bad", "Refused: " + wrong); return; }
      row.tell("Waits for those before it");
      waiting.push([file, row]);
    });
    work();
  }

  const takeChosen = () => { take(input.files); input.value = ""; };
  input.multiple = true;
  input.addEventListener("change", takeChosen);
  takeChosen(); /* a person may be faster than this script */
  form.addEventListener("submit", (e) => e.preventDefault());
  ["dragenter", "dragover"].forEach((name) => drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.add("is-over"); }));
  ["dragleave", "drop"].forEach((name) => drop.addEventListener(name, () => drop.classList.remove("is-over")));
  drop.addEventListener("drop", (e) => { e.preventDefault(); take(e.dataTransfer.files); });
  /* A file that misses the field must not replace the page. */
  ["dragover", "drop"].forEach((name) => window.addEventListener(name, (e) => e.preventDefault()));
  /* What is sent goes on only while the page is open. */
  window.addEventListener("beforeunload", (e) => { if (busy && !leaving) e.preventDefault(); });
})();
