// Turns the still picture in every .cnn-stepper on the page into a piece to step through.
// CSS is defined before this text by Python, and base.js stands before it.

// ---- numbers and words: the same rules as words.py, and tested equal to it ----
const show = (v) => {
  const a = Math.abs(v);
  if (a === Infinity) return "−∞";
  let s;
  if (a >= 1e9 || (a && a < 1e-3)) s = Number(a.toPrecision(3)).toExponential().replace("+", "");
  else if (Number.isInteger(v)) s = String(a);
  else s = a >= 100 ? a.toFixed(0) : String(Number(a.toPrecision(3)));
  s = s.replace("-", "−");
  return v < 0 && s !== "0" ? "−" + s : s;
};
const term = (v) => (v < 0 ? `(${show(v)})` : show(v));
const number = (s) => Number(s.replaceAll("−", "-"));
const equals = (...vs) =>
  vs.every((v) => Math.abs(number(show(v)) - v) < 1e-9 * Math.max(1, Math.abs(v))) ? " = " : " ≈ ";
const sum = (vs) => vs.reduce((a, b) => a + b, 0);
const join = (parts, rest) =>
  parts.length > 25 ? parts.slice(0, 8).join(" + ") + ` + … (${rest(parts.length)})` : parts.join(" + ");
const inWords = (n) => tr`${n} products in all`;

const axis = (n, k, s, p, d, ceil) => {
  const span = d * (k - 1) + 1;
  const room = n + 2 * p - span;
  let o = Math.floor((room + (ceil ? s - 1 : 0)) / s) + 1;
  const cut = ceil && (o - 1) * s >= n + p;
  if (cut) o--;
  o = Math.max(o, 0);
  return { n, k, s, p, d, span, room, o, cut, end: Math.max(n + p, (o - 1) * s - p + span) };
};

// `one` and `more` are the words for a row or a column, and for several.
const sizeWords = (a, one, more, ceil) => {
  if (!a.o)
    return tr`${more}: the window spans ${a.span}, but the input with its padding has only ${a.n + 2 * a.p}: no output.
      PyTorch raises an error here.`;
  const exact = a.room / a.s + 1;
  const lost = a.room - (a.o - 1) * a.s;
  const formula = `(${a.n} − ${a.span} + 2×${a.p}) / ${a.s} + 1${equals(exact)}${show(exact)}`;
  const t = [!lost ? `${more}: ${formula}.` : !ceil ? tr`${more}: ${formula}, rounded down: ${a.o}.`
    : a.cut ? tr`${more}: ${formula}, rounded up: ${a.o + 1}, but that window would start in the padding at the
        end: ${a.o}.`
    : tr`${more}: ${formula}, rounded up: ${a.o}.`];
  if (lost > 0)
    t.push(lost < 2 ? a.p ? tr`Does not fit: the last ${one} is dropped (only padding).`
      : tr`Does not fit: the last ${one} is dropped.`
      : !a.p ? tr`Does not fit: the last ${lost} ${more} are dropped.`
      : lost <= a.p ? tr`Does not fit: the last ${lost} ${more} are dropped (only padding).`
      : tr`Does not fit: the last ${lost} ${more} are dropped (${a.p} of them padding).`);
  if (lost < 0)
    t.push(lost > -2 ? tr`The last window sticks out by 1 ${one}.`
      : tr`The last window sticks out by ${-lost} ${more}.`);
  if (a.d > 1) t.push(tr`${a.span} = ${a.d}×(${a.k} − 1) + 1 is the span of the window.`);
  if (a.s > a.span) t.push(tr`The stride is larger than the span: ${more} in between are skipped.`);
  return t.join(" ");
};

// One output: its value, the sentence for each channel, the sum, and what padding did.
const compute = (D, R, C, c, i, j) => {
  const cells = [];
  for (let a = 0; a < R.k; a++)
    for (let b = 0; b < C.k; b++) {
      const r = i * R.s - R.p + a * R.d;
      const q = j * C.s - C.p + b * C.d;
      const real = r >= 0 && r < R.n && q >= 0 && q < C.n;
      const out = r >= R.n + R.p || q >= C.n + C.p;
      cells.push({ r, q, at: a * C.k + b, real, out, pad: !real && !out });
    }
  const value = (ch, e) => (e.real ? D.x[ch][e.r * C.n + e.q] : 0);
  const pads = cells.filter((e) => e.pad).length;
  const where = (D.k !== "conv" && D.c > 1 ? tr`channel ${c}, row ${i}, column ${j}`
    : tr`row ${i}, column ${j}`) + ": ";
  const lines = [], note = [];
  let v = -Infinity, best = -1;
  if (D.k === "conv") {
    const sums = D.w.map((w, ch) => sum(cells.map((e) => value(ch, e) * w[e.at])));
    const products = D.w.map((w, ch) =>
      join(cells.map((e) => `${term(value(ch, e))}×${term(w[e.at])}`), inWords));
    const used = D.w.map((w, ch) => [...w, ...cells.map((e) => value(ch, e))]);
    const bias = D.b === null ? "" : " + " + tr`bias ${term(D.b)}`;
    v = sum(sums) + (D.b || 0);
    if (D.c === 1) lines.push(where + products[0] + bias + equals(...used[0], D.b || 0, v) + show(v));
    else {
      sums.forEach((s, ch) =>
        lines.push(`${tr`channel ${ch}`}: ${products[ch]}${equals(...used[ch], s)}${show(s)}`));
      lines.push(where + sums.map(term).join(" + ") + bias + equals(...sums, D.b || 0, v) + show(v));
    }
    if (pads) note.push(pads > 1 ? tr`${pads} of the ${cells.length} inputs are padding, which is 0.`
      : tr`1 of the ${cells.length} inputs is padding, which is 0.`);
  } else {
    const used = cells.filter((e) => !e.out);
    const vs = used.map((e) => value(c, e));
    if (D.k === "max") {
      cells.forEach((e, n) => {
        if (e.real && value(c, e) > v) [best, v] = [n, value(c, e)];
      });
      const names = used.map((e, n) => (e.pad ? "−∞" : show(vs[n])));
      lines.push(where + `max(${names.join(", ")}) = ${show(v)}`);
      const ties = used.filter((e) => e.real && value(c, e) === v).length;
      if (pads) note.push(best < 0 ? tr`There is nothing but padding here, which counts as −∞.`
        : tr`Padding counts as −∞, so it never wins.`);
      if (ties > 1) note.push(tr`${show(v)} is there ${ties} times: the first one is marked.`);
    } else {
      const counted = D.i ? used.length : used.length - pads;
      v = sum(vs) / counted;
      const names = used.map((e, n) => [e, term(vs[n])]).filter(([e]) => D.i || e.real);
      lines.push(where + `(${join(names.map((e) => e[1]), (n) => tr`${n} numbers in all`)}) / ${counted}` +
        equals(...vs, v) + show(v));
      if (pads) note.push(D.i ? tr`Padding is 0 and counts: divided by ${counted}.`
        : tr`Padding does not count: divided by ${counted}.`);
    }
    if (used.length < cells.length) note.push(tr`Cells outside the padding do not count.`);
  }
  return { v, lines, note: note.join(" "), cells, best };
};

// ---- the piece ----
const table = (caption, rows, columns, cell, attributes = {}) => {
  const t = element("table", attributes);
  t.createCaption().append(element("span", {}, caption));
  const head = t.createTHead().insertRow();
  // In a grid an empty corner would count as a cell.
  head.append(element("td", attributes.role ? { role: "presentation" } : {}));
  for (let q = columns[0]; q < columns[1]; q++)
    head.append(element("th", { scope: "col" }, show(q)));
  const body = t.createTBody();
  for (let r = rows[0]; r < rows[1]; r++) {
    const line = body.insertRow();
    line.append(element("th", { scope: "row" }, show(r)));
    for (let q = columns[0]; q < columns[1]; q++) line.append(cell(r, q));
  }
  return t;
};
const at = (t, r, q, R, C) => t.rows[r + R.p + 1].cells[q + C.p + 1];

const start = (host, D) => {
  const numbers = (v) => typeof v === "string"
    ? [...new Float32Array(Uint8Array.from(atob(v), (c) => c.charCodeAt(0)).buffer)] : v;
  D.x = D.x.map(numbers);
  if (D.w) D.w = D.w.map(numbers);
  const conv = D.k === "conv";
  const root = host.attachShadow({ mode: "open" });
  root.append(element("style", {}, CSS));
  const box = element("section", { class: "box", "aria-label": D.t });
  // JupyterLab's keyboard shortcuts would take the arrow keys away.
  host.setAttribute("data-lm-suppress-shortcuts", "true");
  root.append(box);
  const add = (tag, attributes, text, to = box) => {
    const e = element(tag, attributes, text);
    to.append(e);
    return e;
  };
  add("p", { class: "title" }, D.t);
  const stage = add("div", { class: "stage" });
  const pairs = add("div", { class: "pairs" }, "", stage);
  const side = add("div", { class: "side" }, "", stage);
  const results = add("div", { class: "pairs" }, "", side);
  const words = add("div", { class: "words" }, "", side);
  const sizes = add("div", { class: "sizes" }, "", side);
  // Channels stand under each other; the controls then go beside them, to stay in view.
  const place = D.c > 1 ? side : box;
  const buttons = add("div", { class: "buttons", role: "group", "aria-label": tr`Step through` }, "", place);
  const controls = add("div", { class: "controls" }, "", place);
  const legend = add("p", { class: "legend" }, "", place);
  const live = add("p", { class: "live", "aria-live": "polite" });

  let R, C, total, inputs, outputs, position = 0, seen, cover = false, timer = null;
  const split = (n) => {
    const [c, rest] = [Math.floor(n / (R.o * C.o)), n % (R.o * C.o)];
    return [c, Math.floor(rest / C.o), rest % C.o];
  };
  const announce = announcer(live);

  // -- controls --
  const button = (text, action) => {
    const b = add("button", { type: "button" }, text, buttons);
    b.onclick = action;
    return b;
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = tr`▶ Play`;
  };
  const go = (n) => { stop(); move(n); };
  button(tr`First`, () => go(0));
  button(tr`Back`, () => go(position - 1));
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const run = (again) => {
    play.textContent = tr`❚❚ Pause`;
    timer = setInterval(() => {
      if (position < total - 1 && host.isConnected) move(position + 1);
      else if (again) move(0);
      else { stop(); announce(words.innerText); }
    }, still.matches ? 2400 : 1200);
  };
  const play = button(tr`▶ Play`, () => {
    if (timer) { stop(); return announce(words.innerText); }
    if (position >= total - 1) move(0);
    run();
  });
  button(tr`Next`, () => go(position + 1));

  const slider = (name, min, max, value, action) => {
    const label = add("label", {}, "", controls);
    const line = add("span", {}, name + " ", label);
    const out = add("b", {}, "", line);
    const input = add("input", { type: "range", min, max, step: 1, value, "aria-label": name }, "", label);
    const print = (text) => {
      out.textContent = text ?? input.value;
      input.setAttribute("aria-valuetext", out.textContent);
    };
    input.oninput = () => { stop(); action(+input.value); print(); };
    print();
    return { input, print };
  };
  const where = slider(tr`position`, 0, 1, 0, (n) => move(n));
  const settle = () => { build(); announce(tr`The output is now ${R.o} by ${C.o}.` + ` ${words.innerText}`); };
  let padding = [];
  const pair = (name, key, min, max) => {
    const two = D[key][0] !== D[key][1];
    return (two ? [0, 1] : [0]).map((n) =>
      slider(two ? `${name}, ${n ? tr`columns` : tr`rows`}` : name, min, Math.max(max, D[key][n]), D[key][n], (v) => {
        D[key][n] = v;
        if (!two) D[key][1] = v;
        if (key === "f") limit();
        settle();
      }));
  };
  // Pooling allows at most half a window of padding.
  const limit = () => padding.forEach(({ input, print }, n) => {
    const half = D.f.map((k) => Math.floor(k / 2));
    input.max = padding.length > 1 ? half[n] : Math.min(...half);
    D.p = D.p.map((p, m) => Math.min(p, padding.length > 1 ? half[m] : +input.max));
    print();
  });
  if (!conv) pair("kernel_size", "f", 1, Math.min(5, ...D.n));
  pair("stride", "s", 1, 4);
  padding = pair("padding", "p", 0, 3);
  if (!conv) limit();
  if (D.k !== "avg") pair("dilation", "d", 1, 3);
  const check = (name, on, action) => {
    const label = add("label", { class: "check" }, "", controls);
    const input = add("input", { type: "checkbox" }, "", label);
    label.append(" " + name);
    input.checked = on;
    input.onchange = () => action(input.checked);
  };
  if (!conv) check("ceil_mode", D.m, (on) => { D.m = on; settle(); });
  if (D.k === "avg") check("count_include_pad", D.i, (on) => { D.i = on; settle(); });
  check(tr`guess first: type each output before you see it`, false, (on) => { cover = on; seen = new Set(); move(position); });

  // -- the grids: built when a setting changes --
  const build = () => {
    R = axis(D.n[0], D.f[0], D.s[0], D.p[0], D.d[0], D.m);
    C = axis(D.n[1], D.f[1], D.s[1], D.p[1], D.d[1], D.m);
    total = R.o * C.o * (conv ? 1 : D.c);
    const reach = (a) => {
      const hit = new Set();
      for (let i = 0; i < a.o; i++) for (let k = 0; k < a.k; k++) hit.add(i * a.s - a.p + k * a.d);
      return hit;
    };
    const [rows, columns] = [reach(R), reach(C)];
    const blank = D.k === "max" ? "−∞" : "0";
    let unused = false, outside = false;
    pairs.textContent = results.textContent = "";
    inputs = [];
    outputs = [];
    const hold = (t, to) => add("div", { class: "hold" }, "", to).append(t) ?? t;
    const of = (ch) => (D.c > 1 ? ", " + tr`channel ${ch}` : "");
    for (let ch = 0; ch < D.c; ch++) {
      const line = add("div", { class: "pair" }, "", pairs);
      inputs.push(hold(table(tr`Input ${R.n}×${C.n}` + of(ch), [-R.p, R.end], [-C.p, C.end], (r, q) => {
        const real = r >= 0 && r < R.n && q >= 0 && q < C.n;
        const out = r >= R.n + R.p || q >= C.n + C.p;
        const kind = [real ? "" : out ? "out" : "pad"];
        if (!(rows.has(r) && columns.has(q)) && !out) { kind.push("unused"); unused = true; }
        outside ||= out;
        const td = element("td", { class: kind.join(" ").trim() },
          real ? show(D.x[ch][r * C.n + q]) : out ? "·" : blank);
        add("i", { "aria-hidden": "true" }, "", td);
        return td;
      }, { class: D.k }), line));
      if (conv) {
        add("span", { class: "sign", "aria-hidden": "true" }, "∗", line);
        const right = add("div", {}, "", line);
        hold(table(tr`Kernel ${R.k}×${C.k}` + of(ch), [0, R.k], [0, C.k],
          (r, q) => element("td", {}, show(D.w[ch][r * C.k + q])), { class: "kernel" }), right);
        if (D.b !== null && ch === D.c - 1) add("p", { class: "bias" }, "+ " + tr`bias ${term(D.b)}`, right);
      }
    }
    for (let ch = 0; total && ch < (conv ? 1 : D.c); ch++) {
      const t = hold(table(tr`Output ${R.o}×${C.o}` + (conv ? "" : of(ch)), [0, R.o], [0, C.o],
        () => element("td", { tabindex: -1 }), { role: "grid", class: "output" }), results);
      t.onclick = (e) => {
        const td = e.target.closest("tbody td");
        if (!td) return;
        go((ch * R.o + td.parentNode.sectionRowIndex) * C.o + td.cellIndex - 1);
        outputs[position].focus({ preventScroll: true });
      };
      t.onkeydown = press;
      for (const row of t.tBodies[0].rows) outputs.push(...[...row.cells].slice(1));
    }
    sizes.textContent = "";
    add("p", {}, tr`Output size: (input − window + 2×padding) / stride + 1`, sizes);
    [[R, tr`row`, tr`rows`], [C, tr`column`, tr`columns`]].forEach(([a, ...names]) =>
      add("p", { class: a.o && Number.isInteger(a.room / a.s) ? "" : "warn" }, sizeWords(a, ...names, D.m), sizes));
    legend.textContent = [D.k === "max" ? tr`Thick border: the window now, ▲ its maximum.` : tr`Thick border: the window now.`,
      R.p || C.p ? tr`Dashed: padding.` : "", outside ? tr`Dot: outside.` : "", unused ? tr`Hatched: no window uses it.` : "",
      tr`Choose an output cell, or use the arrow keys, Home and End in the output.`].filter(Boolean).join(" ");
    seen = new Set();
    where.input.max = Math.max(total - 1, 0);
    where.input.disabled = !total;
    buttons.querySelectorAll("button").forEach((b) => (b.disabled = !total));
    move(Math.min(position, Math.max(total - 1, 0)));
    fit();
  };

  // -- one step: only marks change, so that the focus stays where it is --
  const move = (n) => {
    words.textContent = "";
    if (!total) return add("p", {}, tr`No output with these settings.`, words);
    position = Math.max(0, Math.min(n, total - 1));
    // What leads nowhere is pale, but keeps the focus: a disabled button would lose it.
    const dead = [!position, !position, false, position === total - 1];
    [...buttons.children].forEach((b, k) => b.setAttribute("aria-disabled", dead[k]));
    const hidden = cover && !seen.has(position);
    const [c, i, j] = split(position);
    outputs.forEach((td, m) => {
      const on = m === position;
      td.className = on ? "now" : "";
      td.tabIndex = on ? 0 : -1;
      td.setAttribute("aria-selected", on);
      td.textContent = cover && !seen.has(m) ? "?" : show(compute(D, R, C, ...split(m)).v);
    });
    const e = compute(D, R, C, c, i, j);
    inputs.forEach((t, ch) => {
      t.querySelectorAll(".now").forEach((td) => {
        td.classList.remove("now");
        td.lastChild.textContent = "";
      });
      if (conv || ch === c)
        e.cells.forEach((cell, m) => {
          const td = at(t, cell.r, cell.q, R, C);
          td.classList.add("now");
          td.lastChild.textContent = conv ? "×" + show(D.w[ch][cell.at]) : m === e.best && !hidden ? "▲" : "";
        });
    });
    if (hidden) ask(e, c, i, j);
    else {
      e.lines.forEach((t, m) => add("p", { class: m === e.lines.length - 1 ? "sum" : "" }, t, words));
      add("p", { class: "note" }, e.note, words);
    }
    where.input.value = position;
    where.print(tr`${position + 1} of ${total}`);
    if (!timer) announce(words.innerText);
    // Keep the window in view where a wide grid scrolls, without moving the page.
    inputs.concat(outputs.map((td) => td.closest("table"))).forEach((t) => {
      const marks = t.querySelectorAll(".now");
      const hold = t.parentNode;
      if (!marks.length || hold.scrollWidth <= hold.clientWidth) return;
      const last = marks[marks.length - 1];
      const [left, right] = [marks[0].offsetLeft, last.offsetLeft + last.offsetWidth];
      if (left < hold.scrollLeft || right > hold.scrollLeft + hold.clientWidth)
        hold.scrollLeft = (left + right - hold.clientWidth) / 2;
    });
  };

  // -- guess first: a box for the value at this place --
  const ask = (e, c, i, j) => {
    const form = add("form", { class: "guess" }, "", words);
    const label = add("label", {}, (!conv && D.c > 1 ? tr`Your guess for channel ${c}, row ${i}, column ${j}:`
      : tr`Your guess for row ${i}, column ${j}:`) + " ", form);
    const input = add("input", { type: "text", inputmode: "decimal", autocomplete: "off" }, "", label);
    add("button", { type: "submit" }, tr`Check`, form);
    const verdict = add("p", { class: "note", role: "status" }, "", words);
    const reveal = (said) => {
      seen.add(position);
      move(position);
      words.prepend(element("p", { class: "sum" }, said));
      outputs[position].focus({ preventScroll: true });
    };
    add("button", { type: "button" }, tr`Show it`, form).onclick = () => reveal(tr`The value is ${show(e.v)}.`);
    const near = (a, b) => Math.abs(a - b) <= 0.005 * Math.max(1, Math.abs(b)) || show(a) === show(b);
    // What a common mistake would give here.
    const slips = () => {
      if (!conv) return [];
      const total = (pick) => sum(D.w.map((w, ch) =>
        sum(e.cells.map((q) => (q.real ? D.x[ch][q.r * C.n + q.q] : 0) * w[pick(q.at, w)]))));
      const straight = total((at) => at);
      return [
        [total((at, w) => w.length - 1 - at) + (D.b || 0), tr`That comes out when the filter is turned by 180°.`],
        [total((at) => (at % C.k) * R.k + Math.floor(at / C.k)) + (D.b || 0), tr`That comes out when rows and columns of the filter change places.`, R.k === C.k],
        [straight, tr`That comes out when the bias is left out.`, D.b],
      ].filter(([value, , fits = true]) => fits && !near(value, e.v));
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      const v = readNumber(input.value);
      input.toggleAttribute("aria-invalid", v === null);
      if (v !== null && near(v, e.v)) return reveal("✓ " + tr`${show(e.v)} is right.`);
      const slip = v !== null && slips().find(([value]) => near(v, value));
      verdict.textContent = v === null ? tr`Type a number, such as 12, −3 or 1/4.`
        : "✗ " + [tr`Not ${show(v)}.`, ...(slip ? [slip[1]] : []), tr`Guess again, or show it.`].join(" ");
    };
    // A guess is typed: arrow keys stay in the box. In JupyterLab Enter alone submits nothing.
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key !== "Enter") return;
      event.preventDefault();
      form.requestSubmit();
    };
  };
  const press = (e) => {
    const [c, i, j] = split(position);
    const row = position - j;
    const n = {
      ArrowRight: position + 1,
      ArrowLeft: position - 1,
      ArrowDown: i < R.o - 1 ? position + C.o : position,
      ArrowUp: i ? position - C.o : position,
      Home: e.ctrlKey ? 0 : row,
      End: e.ctrlKey ? total - 1 : row + C.o - 1,
    }[e.key];
    if (n === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    go(n);
    outputs[position].focus({ preventScroll: true });
  };

  // A grid that scrolls must be reachable by keyboard.
  const fit = () => stage.querySelectorAll(".hold").forEach((h) => {
    if (h.scrollWidth > h.clientWidth + 1) h.tabIndex = 0;
    else h.removeAttribute("tabindex");
  });
  new ResizeObserver(fit).observe(box);

  // Where the page asks for it, it moves by itself, round and round: while it is in view, until the
  // reader does something with it, and not for who has asked for less motion.
  const moveByItself = () => {
    let inView = false, taken = false;
    const look = () => {
      if (taken) return;
      stop();
      if (inView && !document.hidden && !still.matches) run(true);
    };
    const take = (e) => {
      if (!taken && e.target !== play) stop();
      taken ||= e.target !== play || e.type === "click";
    };
    for (const type of ["click", "focusin", "input"]) box.addEventListener(type, take, true);
    document.addEventListener("visibilitychange", look);
    still.addEventListener("change", look);
    new IntersectionObserver(([e]) => { inView = e.isIntersecting; look(); }, { threshold: 0.2 }).observe(host);
  };

  followTheme(host, box);
  build();
  if (host.closest("[data-moves]")) moveByItself();
};

begin("cnn-stepper", start);
