// Sends a form as JSON. The link's secret stands after `#`, which browsers send to nobody.
"use strict";
const form = document.querySelector("form");
const status = form.querySelector("[role=status]");

function body() {
  const all = { secret: location.hash.slice(1) };
  for (const input of form.querySelectorAll("input")) {
    const path = input.name.slice(1).split("/");
    const last = path.pop();
    let place = all;
    for (const part of path) place = place[part] ??= {};
    place[last] = input.value;
  }
  return JSON.stringify(all);
}

function clear() {
  status.textContent = "";
  for (const input of form.querySelectorAll("input")) input.removeAttribute("aria-invalid");
  for (const fault of form.querySelectorAll(".fault")) fault.remove();
}

function show(problem) {
  let first = null;
  for (const error of problem.errors ?? []) {
    const input = [...form.querySelectorAll("input")].find((input) => input.name === error.field);
    if (!input) continue;
    const fault = document.createElement("span");
    fault.className = "fault";
    fault.textContent = error.detail + (error.help ? ": " + error.help : "");
    input.setAttribute("aria-invalid", "true");
    input.after(fault);
    first ??= input;
  }
  status.className = "fault";
  status.textContent = problem.detail + (problem.help ? ": " + problem.help : "");
  first?.focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clear();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch(form.dataset.to, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: body(),
    });
    if (answer.ok) {
      history.replaceState(null, "", location.pathname);
      location.assign("/");
    } else {
      show(await answer.json());
    }
  } catch {
    show({ detail: "the service does not answer", help: "try again in a moment" });
  } finally {
    button.disabled = false;
  }
});
