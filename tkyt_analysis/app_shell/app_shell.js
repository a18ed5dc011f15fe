// The page's side of every app with a page of its own. It decides nothing: what people do becomes events that are repeated until
// the kernel has acknowledged them; the state that comes back is shown. An app is a constructor that calls TkytPage, with a
// prototype that has listen, keyed and show: TkytPage.run(".tkyt-my", "tkytMy", App).
(function () {
  "use strict";
  if (window.TkytPage) { return; }
  var LOST_AFTER = 12000;

  function find(root) {
    var body = root.querySelector(".cap"), out = root.querySelector(".cap-out textarea"), data = root.querySelector(".cap-in .cap-data");
    return body && out && data ? { body: body, out: out, data: data } : null;
  }

  function Page(root) {
    this.root = root; this.number = 0; this.waiting = []; this.state = {}; this.said = 0; this.sentAt = 0; this.parts = {};
    var page = this;
    this.listen();
    window.addEventListener("pagehide", function () { if (page.body) { page.send({ do: "bye" }); } });
    document.addEventListener("keydown", function (event) { if (page.body && page.body.isConnected) { page.keyed(event); } }, true);
    new MutationObserver(function () { page.look(); }).observe(root, { childList: true, subtree: true });
    setInterval(function () { page.watch(); }, 1000);
    this.look();
  }

  Page.prototype.look = function () {
    var here = find(this.root);
    if (!here) { return; }
    if (here.body !== this.body) { this.body = here.body; this.parts = {}; this.shown = ""; this.renewed(); }
    this.out = here.out;
    this.out.tabIndex = -1; this.out.setAttribute("aria-hidden", "true");
    var text = here.data.getAttribute("data-state");
    if (text === this.shown) { return; }
    this.shown = text;
    this.show(JSON.parse(text));
  };
  Page.prototype.renewed = function () {}; // the page was laid out anew: an app forgets what it knew of the old one

  // -- out

  Page.prototype.send = function (event) { event.s = ++this.number; this.waiting.push(event); this.post(); };
  Page.prototype.post = function () {
    if (!this.waiting.length) { return; }
    if (!this.sentAt) { this.sentAt = Date.now(); }
    this.out.value = JSON.stringify({ n: ++this.posts || (this.posts = 1), hidden: document.hidden, events: this.waiting });
    this.out.dispatchEvent(new Event("input", { bubbles: true }));
    this.out.dispatchEvent(new Event("change", { bubbles: true }));
  };
  Page.prototype.watch = function () {
    if (!this.body) { return; }
    var late = this.waiting.length && Date.now() - this.sentAt > LOST_AFTER;
    if (!this.waiting.length && Date.now() - (this.beat || 0) > 4000) { this.beat = Date.now(); this.send({ do: "here" }); }
    if (late) { this.notice(this.body.dataset.lost, "error"); this.body.classList.add("cap-lost"); this.post(); }
  };
  Page.prototype.acknowledge = function (number) {
    this.waiting = this.waiting.filter(function (one) { return one.s > number; });
    this.sentAt = this.waiting.length ? this.sentAt : 0;
    if (this.waiting.length) { return; }
    if (this.body.classList.contains("cap-lost")) { this.notice("", "info"); } // it was slow, not gone
    this.body.classList.remove("cap-busy"); this.body.classList.remove("cap-lost");
  };

  // -- in

  Page.prototype.tabs = function (state, open) {
    this.body.querySelectorAll(".cap-panel").forEach(function (one) { one.hidden = one.dataset.panel !== open; });
    this.body.querySelectorAll(".cap-top .cap-tab").forEach(function (one) { one.setAttribute("aria-selected", String(one.dataset.value === state.tab)); });
    this.body.querySelectorAll(".cap-count").forEach(function (one) { one.textContent = (state.counts || {})[one.dataset.count] || ""; });
  };
  Page.prototype.html = function (where, html) {
    // Pieces made and escaped by the kernel.
    if (this.parts[where] === html) { return; }
    this.parts[where] = html;
    var one = this.body.querySelector(where);
    if (one) { one.innerHTML = html; }
  };
  Page.prototype.sentence = function (said) { if (said && said.v !== this.said) { this.said = said.v; this.notice(said.text, said.kind); } };
  Page.prototype.notice = function (text, kind) {
    var place = this.body.querySelector(".cap-said");
    place.textContent = text;
    place.className = "cap-said " + (kind || "info");
  };

  Page.run = function (where, name, App) {
    function start() {
      document.querySelectorAll(where).forEach(function (root) { if (!root[name] && find(root)) { root[name] = new App(root); } });
    }
    setInterval(start, 250); // a widget gets its class after its content: no mutation of the tree tells of the last step
    start();
  };
  window.TkytPage = Page;
})();
