/* Shows how much of a recording is sent. Without this script the browser sends the form by itself. */
(function () {
  "use strict";

  function fail(form, text) {
    form.querySelector("button").disabled = false;
    form.querySelector("[data-sent]").hidden = true;
    const box = document.querySelector("[data-failure]");
    box.querySelector("p").textContent = text;
    box.hidden = false;
    box.scrollIntoView({ block: "nearest" });
  }

  /* The page with what is wrong beside the fields. */
  function show(html) {
    const told = new DOMParser().parseFromString(html, "text/html").getElementById("main");
    document.getElementById("main").replaceWith(told);
    const wrong = told.querySelector("[aria-invalid]");
    if (wrong) wrong.focus();
  }

  document.addEventListener("submit", (e) => {
    const form = e.target.closest("[data-sending]");
    if (!form) return;
    e.preventDefault();
    const request = new XMLHttpRequest(), bar = form.querySelector("[data-sent]");
    request.open("POST", form.action);
    request.upload.onprogress = ({ loaded, total }) => { bar.max = total || 1; bar.value = loaded; };
    request.onerror = () => fail(form, "The connection was lost before all was sent. Try again.");
    request.onload = () => {
      if (request.status < 300) location.assign(request.responseURL);
      else if (request.status === 422) show(request.responseText);
      else fail(form, "The engine could not take the file (error " + request.status + "). Try again in a moment.");
    };
    form.querySelector("button").disabled = true;
    bar.hidden = false;
    request.send(new FormData(form));
  });
})();
