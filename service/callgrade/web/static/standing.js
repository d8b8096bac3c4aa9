"use strict";
/* A call that is only read: moments that play, and the player's own moment for an appeal. Comes behind review.js. */
(() => {
  const { all } = desk;
  const audio = document.getElementById("sound");
  if (!audio) return;
  all("[data-hear]").forEach((button) => {
    button.disabled = false;
    button.addEventListener("click", () => {
      audio.currentTime = Number(button.dataset.hear) / 1000;
      audio.play().catch(() => {});
    });
  });
  all("[data-take-moment]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = button.closest("form").elements.moment;
      field.value = document.getElementById("now").textContent;
      field.focus();
    });
  });
})();
