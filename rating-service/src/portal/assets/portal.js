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
