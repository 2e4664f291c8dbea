// Keeps what goes on up to date. Without it, a reload does the same.
"use strict";
(() => {
  const PAUSE = 5000;
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

  const again = () => setTimeout(() => refresh().catch(() => {}).finally(again), PAUSE);
  if (live()) again();
})();
