// Keeps what goes on up to date, and shows a template while it is written. Without it, a reload and
// the buttons do the same.
"use strict";
(() => {
  const PAUSE = 5000;
  const WRITING = 600;
  const live = () => document.querySelector("[data-live]");

  const refresh = async () => {
    // Nobody looks, or somebody reads what would go away.
    if (document.hidden || document.querySelector("[data-live] details[open]")) return;
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (fresh && !live().contains(document.activeElement)) live().replaceWith(fresh);
  };

  // A new frame each time: what is shown in it is then no step to go back to.
  const show = (form, button) => new Promise((done) => {
    const frame = document.querySelector(`iframe[name="${button.dataset.frame}"]`);
    const fresh = frame.cloneNode();
    frame.replaceWith(fresh);
    fresh.addEventListener("load", done, { once: true });
    setTimeout(done, PAUSE);
    form.requestSubmit(button);
  });

  const preview = (form) => {
    let timer;
    let round = 0;
    const all = async () => {
      round += 1;
      const mine = round;
      // One after the other: of two that a form sends at once, the browser drops the first.
      for (const button of form.querySelectorAll("[data-frame]")) {
        if (mine !== round || !form.checkValidity()) return;
        await show(form, button);
      }
    };
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(all, WRITING);
    });
    all();
  };
  document.querySelectorAll("[data-preview]").forEach(preview);

  // Again a new frame: what is told in it is no step to go back to.
  document.querySelectorAll("[data-told]").forEach((button) => button.addEventListener("click", () => {
    const frame = document.querySelector(`iframe[name="${button.formTarget}"]`);
    frame.replaceWith(frame.cloneNode());
  }));

  // Enter presses the first button of a form, which is another one.
  document.querySelectorAll("[data-enter]").forEach((input) => input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    document.getElementById(input.dataset.enter).click();
  }));

  const again = () => setTimeout(() => refresh().catch(() => {}).finally(again), PAUSE);
  if (live()) again();
})();
