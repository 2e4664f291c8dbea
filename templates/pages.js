// Makes choosing a password easier. Without it everything works; whether a password will do, the
// server decides.
"use strict";
(() => {
  const field = document.getElementById("password");
  const reveal = document.getElementById("reveal");
  const strength = document.getElementById("strength");
  if (!field) return;

  if (reveal) {
    const show = reveal.textContent;
    const turn = (visible) => {
      field.type = visible ? "text" : "password";
      reveal.textContent = visible ? reveal.dataset.hide : show;
    };
    reveal.hidden = false;
    reveal.addEventListener("click", () => turn(field.type === "password"));
    // A browser keeps what was typed into a text field, and would suggest it.
    field.form.addEventListener("submit", () => turn(false));
  }

  // Length counts most; a few different letters over and over do not.
  const level = (password) => {
    const letters = [...password];
    const different = new Set(letters).size;
    if (letters.length < field.minLength) return "short";
    if (different < 5 || letters.length < 10) return "weak";
    return letters.length < 16 || different < 9 ? "fair" : "strong";
  };

  if (strength) {
    field.addEventListener("input", () => {
      const now = field.value === "" ? "" : level(field.value);
      // Said once a level: a screen reader would repeat it with every letter.
      if (strength.dataset.level === now) return;
      strength.dataset.level = now;
      strength.textContent = strength.dataset[now] || "";
    });
  }
})();
