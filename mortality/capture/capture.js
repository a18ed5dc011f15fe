// The page's side of the capture app. It decides nothing: it gathers keys and texts into events, repeats them until the kernel
// has acknowledged them, and shows the state that comes back. Texts are put in as text, never as markup.
(function () {
  "use strict";
  if (window.tkytCapture) { return; }
  window.tkytCapture = true;
  var Page = window.TkytPage, WAIT = 250, TYPEAHEAD = 900;

  function App(root) {
    this.timers = {}; this.dirty = {}; this.version = -1; this.key = ""; this.focused = 0;
    Page.call(this, root);
  }
  App.prototype = Object.create(Page.prototype);
  App.prototype.renewed = function () { this.version = -1; this.key = ""; };

  // -- out

  App.prototype.acknowledge = function (number) {
    var dirty = this.dirty;
    Object.keys(dirty).forEach(function (name) { if (dirty[name] && dirty[name] <= number) { delete dirty[name]; } });
    Page.prototype.acknowledge.call(this, number);
  };
  App.prototype.typed = function (input) {
    var app = this, name = input.dataset.input;
    clearTimeout(this.timers[name]);
    this.dirty[name] = Infinity;
    this.timers[name] = setTimeout(function () { app.tell(input, "set"); }, WAIT);
  };
  App.prototype.tell = function (input, what) {
    var name = input.dataset.input;
    clearTimeout(this.timers[name]);
    delete this.timers[name];
    this.send({ do: what, field: name, value: input.value });
    this.dirty[name] = this.number;
  };
  App.prototype.flush = function () {
    var app = this;
    Object.keys(this.timers).forEach(function (name) { app.tell(app.input(name), "leave"); });
    var active = document.activeElement;
    if (active && active.dataset && active.dataset.input && this.body.contains(active)) { this.tell(active, "leave"); }
  };
  App.prototype.act = function (event) { this.flush(); this.body.classList.add("cap-busy"); this.send(event); };

  // -- keys and touches

  App.prototype.input = function (name) { return this.body.querySelector('[data-input="' + name + '"]'); };
  App.prototype.inputs = function () {
    return Array.prototype.filter.call(this.body.querySelectorAll("[data-input]"), function (one) { return one.offsetParent !== null; });
  };
  App.prototype.tab = function () { return this.state.tab; };

  App.prototype.listen = function () {
    var app = this;
    this.root.addEventListener("input", function (event) {
      var input = event.target;
      if (input.dataset.input) { app.typed(input); }
      if (input.dataset.search) { app.search(input); }
    });
    this.root.addEventListener("change", function (event) {
      var input = event.target;
      if (input.dataset.do === "language") { app.act({ do: "language", value: input.value }); }
      if (input.tagName === "SELECT" && input.dataset.input) { app.tell(input, "leave"); }
    });
    this.root.addEventListener("focusin", function (event) {
      var name = event.target.dataset && event.target.dataset.input;
      if (name && /^(cause_text|line_|part2|icd10)/.test(name)) { app.send({ do: "focus", field: name }); }
      if (event.target.dataset && event.target.dataset.input && event.target.select && event.target.type === "text") { app.fresh = event.target; }
    });
    this.root.addEventListener("focusout", function (event) {
      var input = event.target, name = input.dataset && input.dataset.input;
      if (name && input.tagName !== "SELECT" && (app.timers[name] || app.dirty[name] || input.value !== app.kept(name))) { app.tell(input, "leave"); }
    });
    this.root.addEventListener("click", function (event) {
      var button = event.target.closest("[data-do]");
      if (!button || button.tagName !== "BUTTON") { return; }
      event.preventDefault();
      app.press(button);
    });
    this.root.addEventListener("submit", function (event) { event.preventDefault(); });
  };
  App.prototype.kept = function (name) { var form = this.state.form; return form ? form.values[name] || "" : ""; };

  App.prototype.press = function (button) {
    var data = button.dataset, what = data.do;
    if (data.ask && !window.confirm(data.ask)) { return; }
    if (what === "leave") { what = "leave_form"; }
    var event = { do: what };
    ["value", "unit", "record", "key", "rule", "field", "number"].forEach(function (name) { if (data[name] !== undefined) { event[name] = data[name]; } });
    if (what === "same" || what === "different" || what === "skip") { event.reason = this.why(); }
    this.act(event);
  };
  App.prototype.why = function () { var input = this.body.querySelector("#cap-why"); return input ? input.value : ""; };
  App.prototype.search = function (input) {
    var app = this, what = input.dataset.search === "year" ? "year" : "find";
    if (what === "year" && !/^\d{4}$/.test(input.value.trim())) { return; }
    clearTimeout(this.searching);
    this.searching = setTimeout(function () { app.send({ do: what, value: input.value }); }, WAIT);
  };

  App.prototype.keyed = function (event) {
    var target = event.target, inside = this.body.contains(target);
    if (!inside && target !== document.body) { return; }
    var name = target.dataset && target.dataset.input, ctrl = event.ctrlKey || event.metaKey, digit = /^Digit([1-9])$/.exec(event.code || "");
    function done() { event.preventDefault(); event.stopPropagation(); }
    if (event.isComposing) { return; }
    if (this.tab() === "enter") {
      if (ctrl && event.key === "Enter") { done(); return this.act({ do: "save" }); }
      if (ctrl && (event.key === "d" || event.key === "D")) { done(); return this.act({ do: "copy" }); }
      if (event.altKey && digit) { done(); return this.act({ do: "code", number: Number(digit[1]) }); }
      if (event.altKey && (event.key === "y" || event.key === "Y") && name) { done(); return this.act({ do: "confirm", field: name }); }
      if (name && /icd10/.test(name) && /^[1-9]$/.test(event.key) && !target.value && !ctrl) { done(); return this.act({ do: "code", number: Number(event.key) }); }
      if (event.key === "Escape") { done(); return this.act({ do: "leave_form" }); }
      if (event.key === "Enter" && name && !event.shiftKey) { done(); return this.move(target, 1); }
      if (event.key === "Enter" && name && event.shiftKey) { done(); return this.move(target, -1); }
      if (target.tagName === "SELECT" && name && event.key.length === 1 && !ctrl && !event.altKey) { return this.letter(event, target, done); }
    } else if (this.tab() === "same" && !/INPUT|TEXTAREA|SELECT/.test(target.tagName) && !ctrl && !event.altKey) {
      var what = { s: "same", d: "different", k: "skip" }[event.key.toLowerCase()];
      if (what && this.body.querySelector('[data-do="' + what + '"]')) { done(); return this.act({ do: what, reason: this.why() }); }
    } else if (event.key === "Escape" && this.state.form) { done(); return this.act({ do: "tab", value: "enter" }); }
  };
  App.prototype.move = function (from, step) {
    var all = this.inputs(), next = all[all.indexOf(from) + step];
    if (next) { next.focus(); if (next.select && next.type === "text") { next.select(); } }
    else if (step > 0) { var save = this.body.querySelector('[data-do="save"]'); if (save) { save.focus(); } }
  };
  function folded(text) { return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase(); }
  App.prototype.letter = function (event, select, done) {
    // First letters without accents choose; the same letter again goes on to the next choice; a digit is the number of the choice.
    var now = Date.now(), options = Array.prototype.slice.call(select.options, 1), at = select.selectedIndex - 1;
    var fresh = this.letters && this.letters.select === select && now - this.letters.at < TYPEAHEAD;
    var text = (fresh ? this.letters.text : "") + folded(event.key);
    this.letters = { select: select, at: now, text: text };
    if (event.key === " ") { return; }
    done();
    var number = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1, chosen = options[number];
    function begins(words) { return options.filter(function (one) { return folded(one.textContent).indexOf(words) === 0; }); }
    if (!chosen) {
      var same = text.split("").every(function (one) { return one === text[0]; });
      var found = begins(text);
      if (!found.length && same) { found = begins(text[0]); }
      chosen = found.length && text.length > 1 && same || text.length === 1 ? found[(found.indexOf(options[at]) + 1) % (found.length || 1)] : found[0];
    }
    if (chosen && !chosen.selected) { select.value = chosen.value; this.tell(select, "leave"); }
  };

  // -- in

  App.prototype.show = function (state) {
    this.state = state;
    this.acknowledge(state.ack);
    this.panels(state);
    if (state.form) { this.form(state); }
    this.text(".cap-place", state.place);
    this.html(".cap-left", state.left || "");
    this.sentence(state.said);
    if (state.focus && state.focus.v !== this.focused) { this.focused = state.focus.v; this.cursor(state.focus.field); }
  };
  App.prototype.text = function (where, text) { var one = this.body.querySelector(where); if (one && one.textContent !== text) { one.textContent = text || ""; } };
  App.prototype.panels = function (state) {
    var app = this;
    Object.keys(state.html || {}).forEach(function (name) { app.panel(name, state.html[name]); });
    this.tabs(state, state.tab);
    if (this.open !== state.tab) { this.open = state.tab; window.scrollTo(0, 0); }
  };
  App.prototype.panel = function (name, html) {
    var active = document.activeElement, id = active && active.id, text = active && active.value;
    this.html('[data-panel="' + name + '"]', html);
    var again = id && this.body.querySelector("#" + CSS.escape(id));
    if (again && again !== active && again.dataset.search) { again.value = text; again.focus(); again.setSelectionRange(text.length, text.length); }
  };
  App.prototype.form = function (state) {
    var app = this, other = state.form.key !== this.key, refill = other || state.version !== this.version;
    this.key = state.form.key; this.version = state.version;
    if (other) { this.dirty = {}; Object.keys(this.timers).forEach(function (name) { clearTimeout(app.timers[name]); }); this.timers = {}; }
    if (refill) {
      this.body.querySelectorAll("[data-input]").forEach(function (input) {
        var name = input.dataset.input, value = state.form.values[name] || "";
        if (!app.dirty[name] && input.value !== value) { app.put(input, value); }
      });
    }
    this.remarks(state.remarks || []);
    var part = this.body.querySelector(".cap-correction");
    part.hidden = !state.correction;
    this.text(".cap-correction-text", state.correction);
    this.text(".cap-state", state.record);
    this.text(".cap-saved", state.saved);
    this.html(".cap-likely", state.likely || "");
    this.codes(state.icd || { items: [] });
  };
  App.prototype.put = function (input, value) {
    if (input.tagName === "SELECT") {
      var known = Array.prototype.some.call(input.options, function (one) { return one.value === value; });
      input.querySelectorAll("[data-odd]").forEach(function (one) { one.remove(); });
      if (!known) { var odd = new Option(value, value); odd.dataset.odd = "1"; input.add(odd); }
    }
    input.value = value;
  };
  function element(name, kind, text) { var one = document.createElement(name); one.className = kind; if (text) { one.textContent = text; } return one; }
  App.prototype.remarks = function (remarks) {
    var wanted = JSON.stringify(remarks);
    if (this.parts.remarks === wanted) { return; }
    this.parts.remarks = wanted;
    var body = this.body;
    body.querySelectorAll(".cap-remarks").forEach(function (one) { one.textContent = ""; });
    body.querySelectorAll("[data-input]").forEach(function (one) { one.removeAttribute("aria-invalid"); });
    body.querySelectorAll(".cap-field").forEach(function (one) { one.classList.remove("has-error", "has-warning", "has-note"); });
    remarks.forEach(function (one) {
      var field = body.querySelector('.cap-field[data-field="' + one.field + '"]');
      if (!field) { return; }
      var line = element("p", "cap-remark " + one.mark), mark = element("span", "cap-mark " + one.mark);
      var icon = element("span", "", one.icon);
      icon.setAttribute("aria-hidden", "true");
      mark.append(icon, " " + one.word);
      line.append(mark, " ", element("b", "", one.title ? one.title + ":" : ""), " ", one.sentence, one.suggestion ? " " + one.suggestion : "");
      if (one.answer) {
        var button = element("button", "cap-button cap-answer", one.answer);
        button.type = "button"; button.dataset.do = "confirm"; button.dataset.rule = one.rule_id; button.dataset.field = one.field;
        line.append(" ", button);
      }
      body.querySelector('.cap-remarks[data-about="' + one.field + '"]').append(line);
      if (one.mark !== "ok") { field.classList.add("has-" + one.severity); }
      if (one.severity === "error") { field.querySelector("[data-input]").setAttribute("aria-invalid", "true"); }
    });
  };
  App.prototype.codes = function (icd) {
    var wanted = JSON.stringify(icd), place = this.body.querySelector(".cap-icd");
    if (this.parts.icd === wanted) { return; }
    this.parts.icd = wanted;
    place.textContent = "";
    place.hidden = !icd.heading;
    if (!icd.heading) { return; }
    place.append(element("h3", "", icd.heading));
    if (icd.nothing) { place.append(element("p", "cap-nothing", icd.nothing)); }
    icd.items.forEach(function (one) {
      var button = element("button", "cap-button cap-code");
      button.type = "button"; button.dataset.do = "code"; button.dataset.number = one.number;
      button.append(element("kbd", "", "Alt+" + one.number), element("b", "", one.code), element("span", "", one.wording), element("small", "", one.score));
      place.append(button);
    });
  };
  App.prototype.cursor = function (name) {
    var input = this.input(name), app = this;
    if (!input) { return; }
    requestAnimationFrame(function () { if (app.tab() === "enter") { input.focus(); if (input.select && input.type === "text") { input.select(); } } });
  };

  Page.run(".tkyt-capture", "tkytCapture", App);
})();
