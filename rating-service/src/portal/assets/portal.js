// Small helps; every page works without them.
"use strict";

// A form that cannot be taken back asks once more.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A picker goes where it points as soon as it is changed; without a script it has a button.
for (const form of document.querySelectorAll("form[data-now]")) {
  form.querySelector("button")?.setAttribute("hidden", "");
  form.addEventListener("change", () => form.requestSubmit());
}

// A box that ticks all others of its table.
for (const all of document.querySelectorAll("input[data-all]")) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const one of all.closest("form").querySelectorAll(`input[name="${all.dataset.all}"][type=checkbox]`)) one.checked = all.checked;
  });
}

// After a form was refused, the first field that is wrong is where to go on.
document.querySelector("[aria-invalid=true]")?.focus();

// Files go straight to the interface, one after the other, and say how far they are.
for (const form of document.querySelectorAll("form[data-put]")) {
  const said = form.querySelector("[role=status]");
  const send = (file) => new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", form.dataset.put + encodeURIComponent(file.name));
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) said.textContent = `${file.name}: ${Math.floor(100 * event.loaded / event.total)} %`;
    });
    request.addEventListener("load", () => {
      if (request.status < 300) return done();
      let problem = {};
      try { problem = JSON.parse(request.responseText); } catch { /* said below */ }
      failed(new Error([problem.detail ?? "it was refused", problem.help].filter(Boolean).join(": ")));
    });
    request.addEventListener("error", () => failed(new Error("the service does not answer: try again in a moment")));
    request.send(file);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    said.className = "";
    let file;
    try {
      for (file of form.querySelector("input[type=file]").files) await send(file);
      location.reload();
    } catch (error) {
      said.className = "fault";
      said.textContent = `${file.name}: ${error.message}`;
    } finally {
      button.disabled = false;
    }
  });
}

// How far a run is; when it ends, the page shows what it came to.
for (const place of document.querySelectorAll("[data-progress]")) {
  const events = new EventSource(place.dataset.progress);
  const end = () => { events.close(); setTimeout(() => location.replace(location.pathname), 300); };
  events.addEventListener("progress", (event) => {
    const running = JSON.parse(event.data);
    place.querySelector("progress").value = running.bytes ? Math.floor(100 * running.bytes_done / running.bytes) : 0;
    place.querySelector("[data-phase]").textContent = running.phase;
    place.querySelector("[data-records]").textContent = running.records.toLocaleString("en");
    if (running.phase === "done") end();
  });
  events.addEventListener("error", end);
}
