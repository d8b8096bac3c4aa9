"use strict";
(() => {
  const one = (id) => document.getElementById(id);
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const audio = one("sound");
  const pane = one("pane");
  const turns = all(".turn");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const behavior = () => (calm.matches ? "auto" : "smooth");

  const clock = (seconds) => {
    const tenths = Math.floor(seconds * 10 + 1e-6);
    const hours = Math.floor(tenths / 36000);
    const minutes = Math.floor(tenths / 600) % 60;
    const rest = String(Math.floor((tenths % 600) / 10)).padStart(2, "0") + "." + (tenths % 10);
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
  };

  // In two columns the transcript scrolls by itself, so that the card that was clicked stays where it is.
  const reveal = (target) => {
    if (pane.contains(target) && getComputedStyle(pane).overflowY !== "visible" && pane.scrollHeight > pane.clientHeight) {
      const distance = target.getBoundingClientRect().top - pane.getBoundingClientRect().top;
      pane.scrollTo({ top: pane.scrollTop + distance - pane.clientHeight / 3, behavior: behavior() });
    } else {
      target.scrollIntoView({ block: "center", behavior: behavior() });
    }
  };

  const light = (turn, quote) => {
    all(".lit").forEach((element) => element.classList.remove("lit"));
    turn.classList.add("lit");
    if (quote) all(`mark[data-quotes~="${quote}"]`).forEach((mark) => mark.classList.add("lit"));
  };

  const play = (milliseconds) => {
    if (!audio) return;
    audio.currentTime = milliseconds / 1000;
    audio.play().catch(() => {});
  };

  document.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a.quote, a.time");
    const turn = link && one(link.hash.slice(1));
    if (!turn) return;
    event.preventDefault();
    light(turn, link.dataset.quote);
    if (link.classList.contains("quote")) reveal(turn);
    if (link.dataset.ms) play(Number(link.dataset.ms));
  });

  if (!audio) return;
  const button = one("play");
  const position = one("position");
  const now = one("now");
  let current = null;

  const follow = () => {
    const at = audio.currentTime * 1000;
    const spoken = turns.filter((turn) => Number(turn.dataset.from) <= at && at < Number(turn.dataset.to));
    turns.forEach((turn) => turn.classList.toggle("now", spoken.includes(turn)));
    const latest = spoken[spoken.length - 1] || null;
    const moved = latest && latest !== current;
    current = latest || current;
    if (!moved || audio.paused || pane.matches(":hover, :focus-within") || getComputedStyle(pane).overflowY === "visible") return;
    const [inner, outer] = [latest.getBoundingClientRect(), pane.getBoundingClientRect()];
    if (inner.bottom > Math.min(outer.bottom, innerHeight) || inner.top < outer.top) reveal(latest);
  };

  const show = () => {
    now.textContent = clock(audio.currentTime);
    position.value = audio.currentTime;
    position.setAttribute("aria-valuetext", clock(audio.currentTime));
  };

  const tick = () => {
    show();
    if (!audio.paused) requestAnimationFrame(tick);
  };

  const measured = () => {
    if (!Number.isFinite(audio.duration)) return;
    position.max = audio.duration;
    one("length").textContent = clock(audio.duration);
    show();
  };

  const pressed = (playing) => {
    document.documentElement.classList.toggle("playing", playing);
    button.setAttribute("aria-label", playing ? button.dataset.pause : button.dataset.play);
  };

  audio.addEventListener("loadedmetadata", measured);
  audio.addEventListener("durationchange", measured);
  audio.addEventListener("timeupdate", follow);
  audio.addEventListener("seeked", () => { show(); follow(); });
  audio.addEventListener("play", () => { pressed(true); tick(); });
  audio.addEventListener("pause", () => pressed(false));
  audio.addEventListener("error", () => { one("refused").hidden = false; });
  button.addEventListener("click", () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()));
  position.addEventListener("input", () => { audio.currentTime = Number(position.value); });
  one("speed").addEventListener("change", (event) => { audio.playbackRate = Number(event.target.value); });

  audio.removeAttribute("controls");
  one("controls").hidden = false;
  position.hidden = false;
  measured();
})();
