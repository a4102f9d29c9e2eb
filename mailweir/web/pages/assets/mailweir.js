// One script for every page, and for the worker that its tabs share. Everything it does is done by links and forms
// without it, but for what changes by itself. It writes text, never markup that it made up.
"use strict";

// A stream of events: one for all tabs of a browser, in a SharedWorker where there is one, else in each tab that shows.
class Stream {
  constructor(tell) {
    this.tell = tell;
    this.topics = "";
    this.failures = 0;
    this.source = null;
    this.timer = 0;
    this.last = "";
  }

  want(topics) {
    if (topics === this.topics) return;
    this.topics = topics;
    this.open();
  }

  open() {
    this.close();
    if (!this.topics) return;
    const after = this.last ? `&after=${encodeURIComponent(this.last)}` : "";
    const source = new EventSource(`/api/v1/events?topics=${encodeURIComponent(this.topics)}${after}`);
    this.source = source;
    source.onopen = () => { this.failures = 0; this.poll(false); this.tell({ kind: "on" }); };
    source.onerror = () => {
      this.failures += 1;
      this.tell({ kind: "off" });
      if (this.failures >= 3) this.poll(true);
      // A refusal ends an EventSource for good; a connection that broke it opens again by itself.
      if (source.readyState === 2) setTimeout(() => { if (this.source === source) this.open(); }, Math.min(30, 2 ** this.failures) * 1000);
    };
    for (const name of ["overview", "window", "mail", "pipe", "run", "log", "config", "gap"]) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) this.last = event.lastEventId;
        this.tell({ kind: "event", name, data: event.data });
      });
    }
  }

  close() {
    if (this.source) this.source.close();
    this.source = null;
    this.poll(false);
  }

  // Only while there is no stream.
  poll(wanted) {
    if (!wanted) { clearInterval(this.timer); this.timer = 0; return; }
    if (this.timer) return;
    this.timer = setInterval(async () => {
      try {
        const answer = await fetch("/api/v1/snapshot");
        if (answer.ok) this.tell({ kind: "event", name: "gap", data: "{}" });
      } catch { /* the next time, perhaps */ }
    }, 10000);
  }
}

function shared() {
  const ports = new Map();
  const tellAll = (message) => { for (const port of ports.keys()) port.postMessage(message); };
  const stream = new Stream(tellAll);
  const settle = () => stream.want([...new Set([...ports.values()].flatMap((one) => one.split(",")).filter(Boolean))].sort().join(","));
  self.onconnect = (event) => {
    const port = event.ports[0];
    ports.set(port, "");
    port.onmessage = ({ data }) => {
      if (data.gone) ports.delete(port); else ports.set(port, data.topics);
      settle();
      if (!data.gone && stream.source && stream.source.readyState === 1) port.postMessage({ kind: "on" });
    };
  };
}

function page() {
  const root = document.documentElement;
  const kept = (name, usual) => { try { return localStorage.getItem(name) ?? usual; } catch { return usual; } };
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private windows keep nothing */ } };
  const set = (theme) => { if (theme === "system") delete root.dataset.theme; else root.dataset.theme = theme; };
  // Before anything is painted.
  set(kept("theme", "system"));

  const by = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const two = (number) => String(number).padStart(2, "0");
  const time = (at) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

  function localise(within) {
    const today = day(new Date());
    for (const one of all("time[datetime]", within)) {
      const at = new Date(one.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      one.title = one.dateTime;
      one.textContent = day(at) === today ? time(at) : `${day(at)} ${time(at)}`;
    }
  }

  function toast(text) {
    const place = by("toast");
    if (!place) return;
    place.textContent = text;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => { place.textContent = ""; }, 6000);
  }

  // What changes by itself: parts with `data-live` are taken from the page as it is now. A part that somebody points
  // at, types in or has a selection in stays as it is until they are done.
  let busy = false;
  let again = false;
  let next = 0;
  let waiting = false;
  const inUse = (part) => part.contains(document.activeElement) && document.activeElement !== document.body
    || part.matches(":hover") && part.dataset.live === "rows"
    || (getSelection() && !getSelection().isCollapsed && part.contains(getSelection().anchorNode));

  async function refresh() {
    if (document.hidden) return;
    if (busy || Date.now() < next) {
      if (!again) { again = true; setTimeout(() => { again = false; refresh(); }, Math.max(250, next - Date.now())); }
      return;
    }
    busy = true;
    next = Date.now() + 1000;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const waits = [];
      for (const part of all("[data-live][id]")) {
        const now = fresh.getElementById(part.id);
        if (!now) continue;
        localise(now);
        if (now.isEqualNode(part)) { part.removeAttribute("data-waits"); continue; }
        if (inUse(part)) { waits.push(part); continue; }
        part.replaceWith(document.adoptNode(now));
      }
      const navigation = fresh.querySelector("nav[aria-label=Pages]");
      for (const link of navigation ? all("a[data-key]", navigation) : []) {
        const own = document.querySelector(`nav a[data-key="${link.dataset.key}"]`);
        if (own && !own.matches(":focus") && own.textContent !== link.textContent) own.replaceChildren(...document.adoptNode(link).childNodes);
      }
      const then = fresh.getElementById("live");
      if (then) by("live").dataset.at = then.dataset.at;
      waiting = waits.length > 0;
      show();
      for (const part of waits) {
        for (const left of ["pointerleave", "focusout"]) part.addEventListener(left, settle, { once: true });
      }
      if (waits.length) document.addEventListener("selectionchange", settle, { once: true });
    } catch { /* the stream says that nothing comes any more */ } finally { busy = false; }
  }

  // Not within the event: where the focus goes is known behind it.
  function settle() { if (waiting) { waiting = false; setTimeout(refresh); } }

  let on = false;
  function show() {
    const place = by("live");
    if (!place) return;
    const at = time(new Date(place.dataset.at));
    const text = on ? `live ● ${at}${waiting ? ", more waits until you are done" : ""}` : `reconnecting ○ (data of ${at})`;
    place.className = on ? "on" : "off";
    if (place.textContent !== text) place.textContent = text;
    root.classList.toggle("stale", !on);
  }

  function live() {
    const topics = document.querySelector("meta[name=topics]")?.content ?? "";
    if (!topics) return;
    let heard = false;
    const hear = (message) => {
      if (message.kind === "event") {
        heard = true;
        const event = new CustomEvent("happened", { detail: message, cancelable: true });
        if (document.dispatchEvent(event)) refresh();
        return;
      }
      const before = on;
      on = message.kind === "on";
      // What happened before it was there, or while it was away.
      if (on && !before && heard) refresh();
      heard = heard || !on;
      show();
    };
    let want;
    if (typeof SharedWorker === "function") {
      const worker = new SharedWorker(document.querySelector("script[src*='mailweir.js']").src, "mailweir");
      worker.port.onmessage = ({ data }) => hear(data);
      want = (wanted) => worker.port.postMessage({ topics: wanted });
      addEventListener("pagehide", () => worker.port.postMessage({ gone: true }));
      addEventListener("pageshow", (event) => { if (event.persisted) want(topics); });
    } else {
      const stream = new Stream(hear);
      want = (wanted) => stream.want(wanted);
    }
    document.addEventListener("visibilitychange", () => {
      want(document.hidden ? "" : topics);
      if (!document.hidden) refresh();
    });
    want(document.hidden ? "" : topics);
  }

  // Keys. Those of one letter can be turned off, and never act while somebody types.
  const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
  let going = false;
  function rowsBy(step) {
    const rows = all("table.rows tbody tr").filter((row) => row.offsetParent !== null);
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.classList.contains("at"));
    const to = Math.min(rows.length - 1, Math.max(0, at + step));
    if (at >= 0) rows[at].classList.remove("at");
    rows[to].classList.add("at");
    rows[to].scrollIntoView({ block: "nearest" });
    rows[to].querySelector("a, button, input")?.focus({ preventScroll: true });
  }
  function press(key) {
    const row = document.querySelector("table.rows tr.at");
    const found = (row && row.querySelector(`[data-press="${key}"]`)) ?? document.querySelector(`.heading [data-press="${key}"], .bulk [data-press="${key}"], [data-press="${key}"]`);
    if (!found) return false;
    if (found.matches("input:not([type=checkbox]), textarea, summary")) found.focus();
    found.click();
    return true;
  }
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (kept("letters", "on") === "off" && event.key !== "?") return;
    if (document.querySelector("dialog[open]")) return;
    if (going) {
      going = false;
      const link = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); return; }
    }
    const row = document.querySelector("table.rows tr.at");
    const acts = {
      g: () => { going = true; setTimeout(() => { going = false; }, 1500); return true; },
      "/": () => { const field = document.querySelector("input[type=search]"); field?.focus(); return field !== null; },
      j: () => { rowsBy(1); return true; },
      k: () => { rowsBy(-1); return true; },
      x: () => { row?.querySelector("input[type=checkbox]")?.click(); return row !== null; },
      Enter: () => { if (!row || event.target.closest("a, button")) return false; row.querySelector("a")?.click(); return true; },
      t: () => { by("theme")?.click(); return true; },
      "?": () => { by("keys")?.showModal(); return true; },
    };
    const act = acts[event.key] ?? (/^[a-z]$/.test(event.key) ? () => press(event.key) : null);
    if (act && act()) event.preventDefault();
  }

  function theme() {
    const button = by("theme");
    if (!button) return;
    const names = ["system", "light", "dark"];
    const word = button.querySelector("span");
    button.hidden = false;
    word.textContent = kept("theme", "system");
    button.addEventListener("click", () => {
      const name = names[(names.indexOf(kept("theme", "system")) + 1) % names.length];
      keep("theme", name);
      set(name);
      word.textContent = name;
    });
  }

  // The log: lines are added as they come, as far as they are wanted. `Hold` keeps them back, `Copy` takes what is shown.
  const LEVELS = ["debug", "info", "warning", "error"];
  const MOST_LINES = 1000;
  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }
  function lineOf(told) {
    const line = element("li", "", { class: LEVELS.includes(told.level) ? told.level : "" });
    const parts = [element("time", "", { datetime: told.time }), element("span", told.level, { class: "level" })];
    if (told.pipe) parts.push(element("a", told.pipe, { href: `/pipes/${encodeURIComponent(told.pipe)}` }));
    else if (told.system) parts.push(element("span", told.system));
    parts.push(element("span", told.message, { class: "message" }));
    if (told.run) parts.push(element("a", "run", { class: "muted", href: `/runs/${encodeURIComponent(told.run)}` }));
    for (const part of parts) line.append(part, " ");
    localise(line);
    return line;
  }
  function log() {
    const hold = by("hold");
    if (!hold || !by("log")) return;
    let held = false;
    let kept = [];
    let times = [];
    const word = hold.textContent;
    const end = () => { const box = by("log"); box.scrollTop = box.scrollHeight; };
    const told = () => { hold.textContent = held ? `Go on${kept.length ? ` (${kept.length} new)` : ""}` : word; hold.setAttribute("aria-pressed", String(held)); };
    const wanted = (one, { level, pipe, q }) => (LEVELS.indexOf(one.level) >= LEVELS.indexOf(level) || !LEVELS.includes(one.level)) && (!pipe || one.pipe === pipe)
      && (!q || JSON.stringify(one).toLowerCase().includes(q.toLowerCase()));
    const add = (lines) => {
      const box = by("log");
      const follows = box.scrollTop + box.clientHeight >= box.scrollHeight - 40;
      const list = box.querySelector("ol");
      list.append(...lines.map(lineOf));
      while (list.children.length > MOST_LINES) list.firstElementChild.remove();
      by("none").hidden = list.children.length > 0;
      if (follows) end();
    };
    hold.hidden = false;
    hold.addEventListener("click", () => { held = !held; if (!held) { add(kept); kept = []; end(); } told(); });
    document.addEventListener("happened", (event) => {
      if (event.detail.name !== "log") return;
      // The page itself is a line of the log when it is asked for again.
      event.preventDefault();
      const one = JSON.parse(event.detail.data);
      if (!wanted(one, by("log").dataset)) return;
      const now = Date.now();
      times = [...times.filter((at) => at > now - 1000), now];
      // More than anybody can listen to: a screen reader is told how many, not each.
      const fast = times.length > 2;
      by("log").setAttribute("aria-live", fast ? "off" : "polite");
      if (fast && now > (log.said ?? 0) + 5000) { log.said = now; by("pace").textContent = `${times.length} lines in the last second`; }
      if (!fast) by("pace").textContent = "";
      if (held) { kept = [...kept.slice(1 - MOST_LINES), one]; told(); } else add([one]);
    });
    const copy = by("copy");
    if (copy && navigator.clipboard) {
      copy.hidden = false;
      copy.addEventListener("click", async () => {
        try { await navigator.clipboard.writeText(by("log").innerText); toast("copied"); } catch { toast("the browser does not allow it"); }
      });
    }
    end();
  }

  // The playground: what is typed is tried a quarter of a second after the last key. While it has a fault, what came
  // before stays, in grey.
  function playground() {
    const form = by("playground");
    if (!form) return;
    let timer = 0;
    let latest = 0;
    const tried = async () => {
      const number = latest += 1;
      let answer;
      try {
        answer = await fetch(form.action, { method: "POST", headers: { Accept: "text/html" }, body: new URLSearchParams(new FormData(form)) });
      } catch { toast("mailweir does not answer"); return; }
      if (number !== latest) return;
      if (!answer.ok) { toast("this page is too old: load it again"); return; }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (number !== latest) return;
      const wrong = fresh.querySelector("#faults .fault") !== null;
      by("faults").replaceChildren(...document.adoptNode(fresh.getElementById("faults")).childNodes);
      for (const id of ["shaped", "mails"]) {
        const part = by(id);
        part.classList.toggle("stale", wrong);
        const now = fresh.getElementById(id);
        if (!wrong && part.innerHTML !== now.innerHTML) part.replaceChildren(...document.adoptNode(now).childNodes);
      }
    };
    form.addEventListener("input", (event) => {
      if (event.target.name === "name") return;
      clearTimeout(timer);
      timer = setTimeout(tried, 250);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    root.classList.add("scripted");
    localise(document);
    theme();
    log();
    playground();
    const help = by("help");
    if (help) { help.hidden = false; help.addEventListener("click", () => by("keys").showModal()); }
    const letters = by("letters");
    if (letters) {
      letters.checked = kept("letters", "on") !== "off";
      letters.addEventListener("change", () => keep("letters", letters.checked ? "on" : "off"));
    }
    document.addEventListener("keydown", onKey);
    document.addEventListener("submit", (event) => {
      const ask = event.target.dataset.ask;
      if (ask && !confirm(ask)) event.preventDefault();
    });
    live();
  });
}

if (typeof SharedWorkerGlobalScope === "function" && self instanceof SharedWorkerGlobalScope) shared(); else page();
