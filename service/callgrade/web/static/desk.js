"use strict";
/* What every page of the desk can do: keys, theme, messages, one event stream a browser, saves that fail in plain sight.
   Pages declare what they want (data-key, data-saves, hx-trigger="desk:…") or ask the `desk` object below. */
const desk = (() => {
  const root = document.documentElement;
  const one = (id) => document.getElementById(id);
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const words = one("desk-words").dataset;
  const toasts = one("toasts");
  const remembered = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* not even that: then not */ } };

  /* Runs `run(element)` for what is there and for whatever htmx brings later. */
  const loaded = (selector, run) => {
    all(selector).forEach(run);
    document.addEventListener("htmx:load", ({ target }) => {
      if (target.matches?.(selector)) run(target);
      all(selector, target).forEach(run);
    });
  };

  /* Messages. They are text, or a fragment of the server's, which has escaped it. */
  const toast = (tone, content, { key, act } = {}) => {
    if (key) all(`[data-about="${key}"]`, toasts).forEach((old) => old.remove());
    const box = document.createElement("div");
    box.className = `toast ${tone}`;
    if (key) box.dataset.about = key;
    if (typeof content === "string") box.append(Object.assign(document.createElement("p"), { textContent: content }));
    else box.append(content);
    if (act) {
      const button = Object.assign(document.createElement("button"), { className: "button small", type: "button", textContent: act[0] });
      button.addEventListener("click", () => { box.remove(); act[1](); });
      box.append(button);
    }
    const close = Object.assign(document.createElement("button"), { className: "close", type: "button", textContent: "×" });
    close.setAttribute("aria-label", words.close);
    close.addEventListener("click", () => box.remove());
    box.append(close);
    toasts.append(box);
    if (tone === "good") setTimeout(() => box.remove(), 6000);
    return box;
  };
  const fragment = (html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html").body;
    const holder = document.createDocumentFragment();
    holder.append(...parsed.childNodes);
    return holder;
  };
  document.addEventListener("desk:told", ({ detail }) => toast(detail.tone, detail.text));

  /* Theme: at once, and kept by the server for the next page. */
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme === "auto" ? dark.matches : root.dataset.theme === "dark");
  const showTheme = () => {
    all("[data-choices] button[data-dark]").forEach((button) => {
      button.value = isDark() ? "light" : "dark";
      button.textContent = isDark() ? button.dataset.light : button.dataset.dark;
    });
    all("[data-choices] [aria-pressed]").forEach((button) => button.setAttribute("aria-pressed", button.value === root.dataset.theme));
  };
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.name !== "theme" || !event.target.matches("[data-choices]")) return;
    event.preventDefault();
    const body = new URLSearchParams({ theme: button.value });
    root.dataset.theme = button.value;
    showTheme();
    fetch(event.target.action, { method: "POST", body, redirect: "manual", keepalive: true }).catch(() => {});
  });
  dark.addEventListener("change", showTheme);
  showTheme();

  /* Dialogs and menus */
  const open = (id) => { const dialog = one(id); if (dialog && !dialog.open) dialog.showModal(); };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) open(opener.dataset.opens);
    if (event.target.matches("dialog")) event.target.close();
    all("details.drop[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  all("[data-opens]").forEach((button) => { button.hidden = false; });

  /* Keys, by their place on the keyboard: a Chinese input method sends full-width signs for "?" and "[". */
  const bound = new Map();
  let chord = "";
  let chordUntil = 0;
  const nameOf = (event) => {
    const code = event.code.replace("NumpadEnter", "Enter").replace(/^Numpad(?=\d)/, "Digit");
    const held = [(event.ctrlKey || event.metaKey) && "Control", event.altKey && "Alt", event.shiftKey && "Shift"];
    return [...held.filter(Boolean), code].join("+");
  };
  const keysOn = () => remembered("desk-keys") !== "off";
  const typing = (target) =>
    target.isContentEditable ||
    target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit])");
  const ownsKey = (target, code) =>
    (/^(Space|Enter)$/.test(code) && target.matches("button, a[href], summary, input")) ||
    (/^(Arrow|Home|End|Page)/.test(code) && target.matches("input, [role=tab], [data-arrows]"));
  const declared = (name) =>
    ["[data-current] ", ""].flatMap((place) => all(`${place}[data-key="${name}"]`)).find((element) =>
      !element.disabled && (element.hidden ? element.matches("a[href]") : element.checkVisibility?.() ?? true));
  const act = (element) => (element.matches("input:not([type=radio], [type=checkbox]), textarea, select") ? (element.focus(), element.select?.()) : element.click());
  const press = (name, event) => {
    const { run, repeat } = bound.get(name) ?? {};
    // a key that is held down must not approve a whole call
    if (run && (repeat || !event.repeat) && run(event) !== false) return true;
    const element = declared(name);
    if (element && !event.repeat) act(element);
    return Boolean(run || element);
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    if (/^(Shift|Control|Alt|Meta)/.test(event.code) || document.querySelector("dialog[open]")) return;
    const name = nameOf(event);
    const target = event.target instanceof Element ? event.target : document.body;
    const withControl = event.ctrlKey || event.metaKey || event.altKey;
    if (!withControl && (!keysOn() || typing(target) || ownsKey(target, event.code))) return;
    const both = performance.now() < chordUntil ? `${chord} ${name}` : "";
    chordUntil = 0;
    if ((both && press(both, event)) || press(name, event)) event.preventDefault();
    else if (!withControl) { chord = name; chordUntil = performance.now() + 1200; }
  });
  /* Lists are walked by J and K; Enter is a link's own. */
  const walk = (by) => {
    const lines = all("main a.open");
    const from = lines.indexOf(document.activeElement);
    if (lines.length) lines[from < 0 ? 0 : Math.max(0, Math.min(lines.length - 1, from + by))].focus();
    return lines.length > 0;
  };
  bound.set("KeyJ", { run: () => walk(1), repeat: true });
  bound.set("KeyK", { run: () => walk(-1), repeat: true });
  one("keys-on").checked = keysOn();
  one("keys-on").addEventListener("change", ({ target }) => remember("desk-keys", target.checked ? "on" : "off"));

  /* Saves. Whatever [data-saves] encloses says so while what it holds has not reached the server. */
  const waiting = new Map();
  const mark = (element, unsaved) => {
    const card = element.closest("[data-saves]");
    if (!card || unsaved === card.hasAttribute("data-unsaved")) return;
    card.toggleAttribute("data-unsaved", unsaved);
    all(".unsaved", card).forEach((old) => old.remove());
    if (!unsaved) return;
    const chip = Object.assign(document.createElement("span"), { className: "chip bad strong unsaved", textContent: `✗ ${words.notSaved}` });
    (card.querySelector("[data-says]") ?? card).append(chip);
  };
  addEventListener("beforeunload", (event) => { if (document.querySelector("[data-unsaved]")) event.preventDefault(); });
  const again = () => {
    const failed = Array.from(waiting);
    waiting.clear();
    failed.forEach(([element, config]) => {
      if (!element.isConnected) return;
      const values = Object.fromEntries(config.formData ?? []);
      htmx.ajax(config.verb.toUpperCase(), config.path, { source: element, target: config.target, values });
    });
  };
  const failed = (detail) => {
    if (detail.requestConfig.verb === "get") return;
    mark(detail.elt, true);
    waiting.set(detail.elt, detail.requestConfig);
  };
  const offline = ({ detail }) => {
    if (detail.requestConfig.headers["Desk-Background"]) return;
    failed(detail);
    toast("bad", words.offline, { key: "offline", act: [words.again, again] });
  };
  document.addEventListener("htmx:sendError", offline);
  document.addEventListener("htmx:timeout", offline);
  addEventListener("online", again);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status < 400) return;
    if (xhr.getResponseHeader("X-Problem") === null) {
      // a page's own answer: a form with its errors, a card with both versions
      event.detail.shouldSwap = true;
      event.detail.isError = false;
      return;
    }
    event.detail.shouldSwap = false;
    const background = requestConfig.headers["Desk-Background"];
    if (xhr.status === 401 && background) return;
    failed(event.detail);
    if (xhr.status === 401) signInAgain(xhr.responseText);
    else if (!background) {
      const retryable = xhr.status >= 500 || xhr.status === 429;
      toast("bad", fragment(xhr.responseText), { key: "problem", act: retryable ? [words.again, again] : undefined });
    }
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.successful || detail.requestConfig.verb === "get") return;
    waiting.delete(detail.elt);
    mark(detail.elt, false);
    if (!waiting.size) all('[data-about="offline"]', toasts).forEach((old) => old.remove());
  });

  /* Whose page this is: whoever signs in on top of it must not send off what somebody else had typed. */
  const mine = document.body.dataset.user;
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (mine && detail.path === "/sign-in") detail.parameters.was = mine;
    else if (mine) detail.headers["Desk-Visitor"] = mine;
  });

  /* Signed out in mid-work: sign in on top of it, then whatever was refused is sent again. */
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("callgrade") : null;
  const signInAgain = (html) => {
    const dialog = one("sign-in-again");
    if (!dialog.open) {
      dialog.replaceChildren(fragment(html));
      htmx.process(dialog);
      dialog.showModal();
    }
  };
  const signedIn = (who) => {
    const dialog = one("sign-in-again");
    // somebody else does not go on with this person's work
    if (!dialog.open || who !== mine) return;
    dialog.close();
    again();
    everything();
  };
  const tellSignedIn = () => { signedIn(mine); channel?.postMessage({ signedIn: mine }); };
  document.addEventListener("signed-in", tellSignedIn);
  if (document.querySelector("[data-signed-in]")) tellSignedIn();

  /* What is live. One stream a browser, because six connections are all a browser opens to a host: the tab that holds
     the lock listens and tells the others. Where that cannot be, ask now and then. Hidden tabs wait until they show. */
  const POLL_MS = 15000;
  const missed = new Set();
  const topics = () => Array.from(new Set(all("[hx-trigger*='desk:']").flatMap((it) => it.getAttribute("hx-trigger").match(/desk:[a-z-]+/g))));
  const heard = (names) => {
    names.forEach((name) => missed.add(`desk:${name}`));
    if (document.hidden) return;
    topics().filter((topic) => missed.has(topic)).forEach((topic) => htmx.trigger(document.body, topic));
    missed.clear();
  };
  const everything = () => heard(topics().map((topic) => topic.slice(5)));
  document.addEventListener("visibilitychange", () => heard([]));
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.triggeringEvent?.type.startsWith("desk:")) detail.headers["Desk-Background"] = "1";
  });
  let stop = () => {};
  const listen = () => {
    const over = new AbortController();
    stop = () => over.abort();
    const held = () => new Promise((release) => {
      const source = new EventSource("/events");
      const tell = (names) => { heard(names); channel.postMessage({ changed: names }); };
      const end = () => { source.close(); release(); };
      let before = false;
      source.addEventListener("hello", () => { if (before) everything(); before = true; });
      source.addEventListener("changed", ({ data }) => tell(JSON.parse(data)));
      source.addEventListener("signed-out", end);
      // refused for good: another tab may try, and so do we later
      source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) { end(); setTimeout(begin, 2 * POLL_MS); } });
      over.signal.addEventListener("abort", end);
      if (over.signal.aborted) end();
    });
    navigator.locks.request("callgrade-events", { signal: over.signal }, held).catch(() => {});
  };
  const poll = () => { const timer = setInterval(everything, POLL_MS); stop = () => clearInterval(timer); };
  const begin = () => {
    stop();
    if (topics().length) (channel && navigator.locks && "EventSource" in window ? listen : poll)();
  };
  addEventListener("pagehide", () => stop());
  channel?.addEventListener("message", ({ data }) => {
    if (data.changed) heard(data.changed);
    if (data.signedIn) signedIn(data.signedIn);
  });
  addEventListener("pageshow", (event) => { if (event.persisted) { begin(); everything(); } });
  begin();

  /* A page that could not be made goes on as soon as the service is ready again. */
  const down = document.querySelector("[data-until-ready]");
  if (down) {
    setInterval(() => {
      fetch("/readyz", { cache: "no-store" }).then(({ ok }) => { if (ok) location.reload(); }).catch(() => {});
    }, 1000 * Number(down.dataset.untilReady));
  }

  /* A table that becomes cards keeps telling that it is a table. */
  loaded("table.stack", (table) => {
    table.setAttribute("role", "table");
    [["thead, tbody", "rowgroup"], ["tr", "row"], ["thead th", "columnheader"], ["tbody th", "rowheader"], ["td", "cell"]]
      .forEach(([selector, role]) => all(selector, table).forEach((it) => it.setAttribute("role", role)));
  });

  return {
    all, loaded, toast, open, again, words,
    /* key("KeyJ", run): by event.code, with "Control+", "Alt+", "Shift+" in this order; "KeyG KeyQ" is one after the
       other. `run` may answer false: then it was not for it. What is merely clicked or focused says data-key instead. */
    key: (name, run, { repeat = false } = {}) => bound.set(name, { run, repeat }),
    /* say(text): aloud where somebody listens, and in sight. */
    say: (text, tone = "none") => toast(tone, text),
    unsaved: (element) => mark(element, true),
    saved: (element) => mark(element, false),
  };
})();
