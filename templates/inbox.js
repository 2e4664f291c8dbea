// Shows mails as they come. Without it, the link to refresh does the same.
"use strict";
(() => {
  const PAUSE = 2000;
  const live = () => document.querySelector("[data-live]");
  const count = document.getElementById("count");
  const refreshed = document.getElementById("refresh");
  if (!live() || !count) return;

  const get = async (address, accept) => {
    const answer = await fetch(address, { headers: { accept }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer;
  };

  const refresh = async () => {
    // Nobody looks.
    if (document.hidden) return;
    const state = await (await get(live().dataset.state, "application/json")).json();
    if (state.fingerprint === live().dataset.fingerprint) return;
    // The address has the search in it.
    const text = await (await get(location.href, "text/html")).text();
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.querySelector("[data-live]");
    if (!fresh) return;
    const focused = live().contains(document.activeElement) ? document.activeElement.id : "";
    live().replaceWith(fresh);
    // Said by screen readers, so only its text is changed.
    const said = page.getElementById("count").textContent;
    if (count.textContent !== said) count.textContent = said;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };

  const again = () => setTimeout(() => refresh().catch(() => {}).finally(again), PAUSE);
  if (refreshed) refreshed.hidden = true;
  again();
})();
