"use strict";
/* What is shown once can be taken along with one press. Without a script it is marked and copied by hand. */
document.querySelectorAll("[data-copies]").forEach((button) => {
  const field = document.getElementById(button.dataset.copies);
  button.hidden = false;
  field.addEventListener("focus", () => field.select());
  button.addEventListener("click", async () => {
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    desk.say(button.dataset.copied, "good");
  });
});
