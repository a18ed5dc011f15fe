// The page's side of the coder's screen. It decides nothing: keys and touches become events that are repeated until the kernel has
// acknowledged them; pieces of HTML that come back were made and escaped by the kernel. What was put off, the sample and the panel
// are remembered by the browser, so that a reload goes on where it was.
(function () {
  "use strict";
  if (window.tkytCoder) { return; }
  window.tkytCoder = true;
  var Page = window.TkytPage, PARTS = ["progress", "item", "similar"];

  function App(root) {
    this.memory = "tkyt-coder:" + location.pathname;
    Page.call(this, root);
    this.resume();
  }
  App.prototype = Object.create(Page.prototype);

  // -- what the browser remembers

  App.prototype.resume = function () {
    var kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(this.memory)); } catch (error) { kept = null; }
    this.ready = true;
    if (kept && this.state.shown && (kept.skipped.length || kept.sample || kept.tab !== "code")) {
      this.send({ do: "resume", skipped: kept.skipped, sample: kept.sample, tab: kept.tab });
    }
    if (kept) { this.typed("search").value = kept.search || ""; this.typed("note").value = kept.note || ""; }
  };
  App.prototype.remember = function () {
    if (!this.ready || !this.state.shown) { return; }
    var kept = { skipped: this.state.skipped || [], sample: this.state.sample || "", tab: this.state.tab, search: this.typed("search").value, note: this.typed("note").value };
    try { sessionStorage.setItem(this.memory, JSON.stringify(kept)); } catch (error) { return; }
  };

  // -- out

  App.prototype.typed = function (name) { return this.body.querySelector('[data-typed="' + name + '"]') || { value: "" }; };
  App.prototype.act = function (what, more) {
    // A decision is on its way: a second key waits until the next matter is seen.
    if (this.waiting.some(function (one) { return one.item; })) { return; }
    var event = Object.assign({ do: what }, more || {});
    if (/^(choose|uncodable|ask|next)$/.test(what)) {
      event.item = this.state.item; event.note = this.typed("note").value;
      if (!event.item) { return; }
    }
    this.body.classList.add("cap-busy");
    this.send(event);
  };

  // -- keys and touches

  App.prototype.listen = function () {
    var app = this;
    this.root.addEventListener("click", function (event) {
      var button = event.target.closest("button[data-do]");
      if (!button || button.disabled) { return; }
      event.preventDefault();
      app.press(button.dataset);
    });
    this.root.addEventListener("change", function (event) {
      if (event.target.dataset.do === "language") { app.act("language", { value: event.target.value }); }
    });
    this.root.addEventListener("input", function (event) { if (event.target.dataset.typed) { app.remember(); } });
  };
  App.prototype.press = function (data) {
    var more = {};
    if (data.value !== undefined) { more.value = data.value; }
    if (data.number !== undefined) { more.number = Number(data.number); }
    if (data.item !== undefined) { more.item = data.item; }
    if (data.do === "review") { more.reason = this.typed("reason").value; }
    this.act(data.do, more);
  };
  App.prototype.keyed = function (event) {
    var target = event.target, typing = /INPUT|TEXTAREA|SELECT/.test(target.tagName), inside = this.body.contains(target);
    if ((!inside && target !== document.body) || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || this.state.tab !== "code") { return; }
    function done() { event.preventDefault(); event.stopPropagation(); }
    if (typing) {
      if (event.key === "Enter" && target.dataset.typed === "search") { done(); target.blur(); this.act("search", { value: target.value }); }
      if (event.key === "Enter" && target.dataset.typed === "note" || event.key === "Escape") { done(); target.blur(); }
      return;
    }
    var digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code || ""), key = event.key.toLowerCase();
    if (event.repeat) { return; }
    if (digit) { done(); return this.act("choose", { number: Number(digit[1]) }); }
    var what = { u: "uncodable", h: "ask", n: "next", z: "undo" }[key];
    if (what) { done(); return this.act(what); }
    if (key === "g") {
      var all = Array.prototype.slice.call(this.body.querySelectorAll('[data-do="sex"]')), at = all.findIndex(function (one) { return one.getAttribute("aria-pressed") === "true"; });
      if (all.length) { done(); return this.act("sex", { value: all[(at + 1) % all.length].dataset.value }); }
    }
    if (key === "/" || key === "t") { done(); var input = this.typed("search"); input.focus(); input.select(); }
    if (key === "c") { done(); this.typed("note").focus(); }
  };

  // -- in

  App.prototype.show = function (state) {
    var other = state.item !== this.state.item;
    this.state = state;
    this.acknowledge(state.ack);
    var app = this, html = state.html || {};
    PARTS.forEach(function (name) { app.html(".cod-" + name, html[name] || ""); });
    ["list", "learnt", "double"].forEach(function (name) { if (html[name] !== undefined) { app.html('[data-panel="' + name + '"]', html[name]); } });
    this.tabs(state, state.shown ? state.tab : "");
    this.sentence(state.said);
    if (state.problem) { this.notice(state.problem, "error"); }
    if (other && this.ready) { this.typed("search").value = ""; this.typed("note").value = ""; }
    this.remember();
  };

  Page.run(".tkyt-coder", "tkytCoder", App);
})();
