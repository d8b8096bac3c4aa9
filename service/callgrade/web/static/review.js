"use strict";
/* The review page: which card is current, what keys do to it, the sound beside the words, and drafts that outlive a
   lost server. What is saved is saved by the forms themselves; without this file everything still works by hand. */
(() => {
  const one = (id) => document.getElementById(id);
  const { all, key, say } = desk;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const behavior = () => (calm.matches ? "auto" : "smooth");

  /* Cards */
  const cards = () => all("#cards .card");
  const current = () => document.querySelector("#cards .card[data-current]");
  const isOpen = (card) => Boolean(card.querySelector(".deciding")) && !card.classList.contains("decided");
  const within = (element, pane) => {
    const [inner, outer] = [element.getBoundingClientRect(), pane.getBoundingClientRect()];
    return inner.top >= Math.max(outer.top, 0) && inner.bottom <= Math.min(outer.bottom, innerHeight);
  };
  const makeCurrent = (card, { scroll = true } = {}) => {
    if (!card) return;
    cards().forEach((other) => other.toggleAttribute("data-current", other === card));
    if (scroll && !within(card, one("cards"))) card.scrollIntoView({ block: "nearest", behavior: behavior() });
    sessionStorage.setItem(`current:${location.pathname}`, card.dataset.criterion);
  };
  const step = (by) => {
    const every = cards();
    const next = every[every.indexOf(current()) + by];
    if (!next) return;
    makeCurrent(next);
    next.focus({ preventScroll: true });
  };
  const onward = () => {
    const every = cards();
    const from = every.indexOf(current());
    makeCurrent([...every.slice(from + 1), ...every.slice(0, from + 1)].find(isOpen) ?? every[from]);
  };
  const form = (card, action) => card?.querySelector(`form[action*="/${action}"]:not(.verdict-form)`);
  const verdict = (card) => card?.querySelector(".verdict-form");
  const openOtherwise = (card) => {
    const details = card?.querySelector(".otherwise");
    if (details) details.open = true;
    return details;
  };
  const leave = () => document.activeElement?.blur?.();

  key("KeyJ", () => step(1), { repeat: true });
  key("KeyK", () => step(-1), { repeat: true });
  key("KeyA", () => { form(current(), "decisions")?.requestSubmit(); });
  key("KeyU", () => { form(current(), "undo")?.requestSubmit(); });
  key("KeyO", () => {
    const details = openOtherwise(current());
    details?.querySelector("input[type=radio]:checked, input[type=radio]")?.focus();
  });
  key("KeyC", () => { openOtherwise(current())?.querySelector("textarea").focus(); });
  for (let digit = 1; digit <= 9; digit += 1) {
    key(`Digit${digit}`, () => {
      const details = current()?.querySelector(".otherwise");
      if (!details?.open) return;
      const option = details.querySelectorAll(".options input[type=radio]")[digit - 1];
      if (!option || option.value === "typed") return;
      option.checked = true;
      option.dispatchEvent(new Event("input", { bubbles: true }));
      details.querySelector("textarea").focus();
    });
  }
  key("Control+Enter", () => {
    const editing = document.activeElement?.closest?.(".verdict-form");
    const chosen = editing ?? verdict(current());
    if (chosen && chosen.closest("details").open && (editing || chosen.querySelector("input[type=radio]:checked"))) {
      // clicked and not submitted: htmx sends the button that was clicked
      chosen.querySelector('button[value="override"]').click();
      return;
    }
    const finish = one("finish");
    if (!finish) return;
    const undecided = cards().find(isOpen);
    if (undecided) makeCurrent(undecided);
    finish.requestSubmit();
  });
  one("cards").addEventListener("focusin", (event) => makeCurrent(event.target.closest(".card"), { scroll: false }));
  one("cards").addEventListener("pointerdown", (event) => makeCurrent(event.target.closest(".card"), { scroll: false }));

  /* A number that is typed is also chosen. */
  document.addEventListener("input", (event) => {
    if (event.target.matches(".typed input[type=number]") && event.target.value !== "") {
      event.target.closest(".typed").querySelector("input[type=radio]").checked = true;
    }
  });

  /* Saved: the card comes back, and the next one is up. */
  let leaving = null;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    leaving = detail.target?.matches?.(".card") ? { id: detail.target.id, ok: detail.xhr.status < 400, path: detail.requestConfig.path } : null;
  });
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (!leaving || detail.elt.id !== leaving.id) return;
    const card = one(leaving.id);
    const { ok, path } = leaving;
    leaving = null;
    makeCurrent(card, { scroll: !ok });
    if (!ok) { card.focus({ preventScroll: true }); return; }
    forget(card.dataset.criterion);
    if (path.includes("/decisions")) { onward(); leave(); }
  });

  /* Drafts: on the server half a second after the last key, in this browser at once. What is here and newer wins. */
  const drafting = new Map();
  const nameOf = (card) => `draft:${location.pathname}:${card.closest("[data-criterion]").dataset.criterion}`;
  const forget = (criterion) => localStorage.removeItem(`draft:${location.pathname}:${criterion}`);
  const typed = (element) => {
    const data = new FormData(element);
    return { reason: data.get("reason") ?? "", choice: data.get("choice") ?? "", number: data.get("number") ?? "" };
  };
  const keep = async (element) => {
    const body = new URLSearchParams(typed(element));
    try {
      const answer = await fetch(element.dataset.draft, { method: "PUT", body, redirect: "manual", headers: { "HX-Request": "true" } });
      if (answer.status === 204 && element.isConnected) { desk.saved(element); element.dataset.kept = "1"; }
      else if (element.isConnected) desk.unsaved(element);
    } catch {
      if (element.isConnected) desk.unsaved(element);
    }
  };
  document.addEventListener("input", (event) => {
    const element = event.target.closest?.("[data-draft]");
    if (!element) return;
    localStorage.setItem(nameOf(element), JSON.stringify({ ...typed(element), version: element.closest(".card").dataset.version }));
    clearTimeout(drafting.get(element));
    drafting.set(element, setTimeout(() => keep(element), 500));
  });
  const restore = () => all("[data-draft]").forEach((element) => {
    const kept = localStorage.getItem(nameOf(element));
    if (!kept) return;
    const { reason, choice, number, version } = JSON.parse(kept);
    if (version !== element.closest(".card").dataset.version) { localStorage.removeItem(nameOf(element)); return; }
    const area = element.querySelector("textarea");
    const same = area.value === reason;
    area.value = reason;
    const option = Array.from(element.querySelectorAll("input[type=radio]")).find((radio) => radio.value === choice);
    if (option) option.checked = true;
    const field = element.querySelector("input[type=number]");
    if (field && number) field.value = number;
    if (reason || choice) element.closest("details").open = true;
    if (!same) keep(element);
  });

  /* Words and quotes */
  const words = one("words");
  const turns = all(".turn");
  const reveal = (target) => {
    if (!words || within(target, words)) return;
    if (words.scrollHeight > words.clientHeight) {
      const distance = target.getBoundingClientRect().top - words.getBoundingClientRect().top;
      words.scrollTo({ top: words.scrollTop + distance - words.clientHeight / 3, behavior: behavior() });
    } else target.scrollIntoView({ block: "center", behavior: behavior() });
  };
  const light = (turn, quote) => {
    all(".lit").forEach((element) => element.classList.remove("lit"));
    turn.classList.add("lit");
    if (!quote) return;
    all(`mark[data-quotes~="${quote}"], .quote[data-quote="${quote}"]`).forEach((mark) => mark.classList.add("lit"));
  };
  const show = (link, { sound: wanted = true } = {}) => {
    const turn = one(link.hash.slice(1));
    if (!turn) return;
    light(turn, link.dataset.quote);
    reveal(turn);
    if (wanted && link.dataset.ms) hear(Number(link.dataset.ms));
  };
  document.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a.quote, a.at");
    if (!link) return;
    event.preventDefault();
    show(link);
  });

  /* Correcting a turn: in a dialog; by its own page where the words hold what only that shows as it is. */
  const correcting = one("correct");
  document.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a.correct");
    const said = link?.closest(".turn").querySelector(".words");
    if (!link || !correcting || said.querySelector(".hidden-character")) return;
    event.preventDefault();
    const form = correcting.querySelector("form");
    form.elements.turn.value = link.dataset.turn;
    form.elements.text.value = said.textContent;
    correcting.showModal();
    form.elements.text.focus();
  });
  one("correct-not")?.addEventListener("click", () => correcting.close());
  let quoted = -1;
  const quote = (by) => {
    const links = all("a.quote", current() ?? document);
    if (!links.length) return;
    const lit = links.findIndex((link) => link.classList.contains("lit"));
    quoted = (((lit < 0 ? (by > 0 ? -1 : 0) : lit) + by) % links.length + links.length) % links.length;
    show(links[quoted]);
  };
  key("KeyE", () => quote(1));
  key("Shift+KeyE", () => quote(-1));

  /* Find */
  const find = one("find");
  const unmark = () => all("mark.hit").forEach((mark) => { const parent = mark.parentNode; mark.replaceWith(...mark.childNodes); parent.normalize(); });
  let hits = [];
  let hit = -1;
  const look = () => {
    unmark();
    const wanted = find.value.trim().toLowerCase();
    hits = [];
    hit = -1;
    if (wanted) {
      for (const turn of turns) {
        const walker = document.createTreeWalker(turn.querySelector(".words"), NodeFilter.SHOW_TEXT);
        const nodes = [];
        while (walker.nextNode()) nodes.push(walker.currentNode);
        for (const node of nodes) {
          let rest = node;
          for (let at = rest.data.toLowerCase().indexOf(wanted); at >= 0; at = rest.data.toLowerCase().indexOf(wanted)) {
            const middle = rest.splitText(at);
            rest = middle.splitText(wanted.length);
            const mark = Object.assign(document.createElement("mark"), { className: "hit" });
            middle.replaceWith(mark);
            mark.append(middle);
            hits.push(mark);
          }
        }
      }
    }
    one("found").textContent = wanted ? String(hits.length) : "";
    if (hits.length) { hit = 0; reveal(hits[0].closest(".turn")); }
  };
  find?.addEventListener("input", look);
  find?.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && hits.length) {
      event.preventDefault();
      hit = (hit + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
      reveal(hits[hit].closest(".turn"));
      light(hits[hit].closest(".turn"));
    }
    if (event.key === "Escape") { find.value = ""; look(); find.blur(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && event.target.matches?.("textarea, .options input")) event.target.blur();
  });

  /* Sound */
  const audio = one("sound");
  const hear = (milliseconds) => {
    if (!audio) return;
    audio.currentTime = milliseconds / 1000;
    audio.play().catch(() => {});
  };
  if (audio) {
    const [button, position, now, speed] = ["play", "position", "now", "speed"].map(one);
    const clock = (seconds) => {
      const tenths = Math.floor(seconds * 10 + 1e-6);
      const hours = Math.floor(tenths / 36000);
      const minutes = Math.floor(tenths / 600) % 60;
      const rest = `${String(Math.floor((tenths % 600) / 10)).padStart(2, "0")}.${tenths % 10}`;
      return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
    };
    let spoken = null;
    const follow = () => {
      const at = audio.currentTime * 1000;
      const here = turns.filter((turn) => Number(turn.dataset.from) <= at && at < Number(turn.dataset.to));
      turns.forEach((turn) => turn.classList.toggle("now", here.includes(turn)));
      const latest = here.at(-1);
      if (latest && latest !== spoken && !audio.paused && !words.matches(":hover, :focus-within")) reveal(latest);
      spoken = latest ?? spoken;
    };
    const draw = () => {
      now.textContent = clock(audio.currentTime);
      position.value = audio.currentTime;
      position.setAttribute("aria-valuetext", clock(audio.currentTime));
    };
    const tick = () => { draw(); if (!audio.paused) requestAnimationFrame(tick); };
    const measured = () => {
      if (!Number.isFinite(audio.duration)) return;
      position.max = audio.duration;
      one("length").textContent = clock(audio.duration);
      draw();
    };
    const toggle = () => (audio.paused ? audio.play().catch(() => {}) : audio.pause());
    const jump = (by) => { audio.currentTime = Math.max(0, audio.currentTime + by); };
    const faster = (by) => {
      const next = speed.options[speed.selectedIndex + by];
      if (!next) return;
      speed.value = next.value;
      audio.playbackRate = Number(next.value);
      say(`${next.value}×`);
    };
    const pressed = (playing) => {
      button.setAttribute("aria-label", playing ? button.dataset.pause : button.dataset.play);
      button.querySelector(".sign").textContent = playing ? "❚❚" : "▶";
    };
    audio.addEventListener("loadedmetadata", measured);
    audio.addEventListener("durationchange", measured);
    audio.addEventListener("timeupdate", follow);
    audio.addEventListener("seeked", () => { draw(); follow(); });
    audio.addEventListener("play", () => { pressed(true); tick(); });
    audio.addEventListener("pause", () => pressed(false));
    audio.addEventListener("error", () => { one("refused").hidden = false; });
    button.addEventListener("click", toggle);
    position.addEventListener("input", () => { audio.currentTime = Number(position.value); });
    speed.addEventListener("change", () => { audio.playbackRate = Number(speed.value); });
    key("Space", toggle);
    key("ArrowLeft", () => jump(-3), { repeat: true });
    key("ArrowRight", () => jump(3), { repeat: true });
    key("BracketLeft", () => faster(-1));
    key("BracketRight", () => faster(1));
    audio.removeAttribute("controls");
    one("controls").hidden = false;
    one("speed-label").hidden = false;
    position.hidden = false;
    measured();
  }

  /* Where one was */
  restore();
  const asked = location.hash.startsWith("#c") ? document.querySelector(location.hash) : null;
  const last = sessionStorage.getItem(`current:${location.pathname}`);
  makeCurrent(asked ?? cards().find((card) => card.dataset.criterion === last && isOpen(card)) ?? cards().find(isOpen) ?? cards()[0]);
})();
