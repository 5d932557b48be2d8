// Makes every .cnn-draw-digit of the page a pad to draw on. CSS is defined before this text by
// Python; base.js and the other scripts of this folder stand before it.

// Pixels from 0 to 1; in the packed bytes, a 0 stands before the length of a run of zeros.
const unpackPixels = (text) => {
  const pixels = [], packed = bytes(text);
  for (let i = 0; i < packed.length; i++)
    if (packed[i]) pixels.push(packed[i] / 255);
    else pixels.push(...Array(packed[++i]).fill(0));
  return Float32Array.from(pixels);
};

const start = (host, D) => {
  let weights = unpack(D.w);
  const examples = D.e.map(([label, text]) => [label, unpackPixels(text)]);
  const root = host.attachShadow({ mode: "open" });
  root.append(element("style", {}, CSS));
  const box = element("section", { class: "box", "aria-label": D.t });
  // JupyterLab's keyboard shortcuts would take the keys away.
  host.setAttribute("data-lm-suppress-shortcuts", "true");
  root.append(box);
  const add = (tag, attributes, text, to = box) => addTo(to, tag, attributes, text);
  add("p", { class: "title" }, D.t);
  const about = add("p", { class: "note" }, D.a);
  const said = add("p", { class: "said" });
  const stage = add("div", { class: "stage" });
  const left = add("div", { class: "draw" }, "", stage);
  const middle = add("div", { class: "sees" }, "", stage);
  const right = add("div", { class: "answer" }, "", stage);
  const layers = add("div", { class: "layers" });
  const panel = element("div", { class: "panel" });
  const live = add("p", { class: "live", "aria-live": "polite" });

  const announce = announcer(live);

  // ---- the drawing and its answer ----
  let answer = null, truth = null; // the label of the example that is being shown
  const pad = makePad(left, { announce, said: () => said.textContent, changed: () => {
    const pixels = pad.pixels();
    answer = pixels && forward(weights, normalise(pixels));
    paint();
  } });
  const buttons = add("div", { class: "buttons" }, "", left);
  const shelf = add("div", { class: "buttons", role: "group", "aria-label": tr`Examples` }, "", left);

  // ---- buttons ----
  const button = (text, action, to, attributes = {}) => {
    const b = add("button", { type: "button", ...attributes }, text, to);
    b.onclick = action;
    return b;
  };
  button(tr`Undo`, pad.undo, buttons);
  button(tr`Clear`, pad.clear, buttons);
  add("p", { class: "note" }, tr`Mouse or finger. Or with the keyboard: arrow keys move the pen, Space
    puts it down and lifts it, Delete clears.`, left);
  add("span", { class: "name" }, tr`Examples`, shelf);
  examples.forEach(([label, pixels], n) => {
    const misread = n >= D.m;
    const b = button("", () => {
      truth = label;
      pad.show(pixels, []);
      truth = null;
      announce(said.textContent);
    }, shelf, { class: "example", "aria-label": misread ? tr`Example: a ${label}, hard` : tr`Example: a ${label}` });
    gray(canvas(SIDE, SIDE, b).getContext("2d"), pixels);
    if (misread) add("i", {}, tr`hard`, b);
  });

  // ---- the layers: canvases, and in each layer one cell that the keyboard moves ----
  let chosen = null, channel = null;
  const views = LAYERS.map((layer, at) => {
    const home = layer.name === "input" ? middle : layer.name === "scores" ? right : layers;
    const whole = add("div", { class: "layer " + layer.name }, "", home);
    const size = layer.name === "linear1" ? tr`50 units` : layer.name === "scores" ? ""
      : layer.maps > 1 ? tr`${layer.maps} maps of ${layer.rows}×${layer.columns}` : `${layer.rows}×${layer.columns}`;
    const [title, what] = titlesOf(layer);
    const name = layer.name === "input" ? tr`What the network sees` : title;
    const words = `${name}${size && ": " + size}`;
    const view = { layer, whole, maps: [], map: 0,
      i: Math.floor(layer.rows / 2), j: Math.floor(layer.columns / 2) };
    if (layer.name !== "scores") {
      const p = add("p", { class: "name" }, words, whole);
      if (home === layers) add("span", {}, ` (${what})`, p);
    }
    view.grid = add("div", { class: "maps", role: "grid", "aria-rowcount": layer.rows,
      "aria-label": layer.name === "scores" ? tr`Probabilities of the ten digits` : words,
      "aria-colcount": layer.columns }, "", whole);
    if (layer.name === "scores") {
      view.grid.removeAttribute("aria-rowcount");
      view.grid.removeAttribute("aria-colcount");
      view.j = 0;
      view.bars = Array.from({ length: 10 }, (_, d) => {
        const r = add("div", { role: "row", class: "bar" }, "", view.grid);
        add("b", { role: "rowheader" }, d, r);
        const cell = add("div", { role: "gridcell", tabindex: d ? -1 : 0, "aria-selected": false }, "", r);
        const hold = add("span", { class: "hold", "aria-hidden": "true" }, "", cell);
        r.onclick = () => choose(at, 0, 0, d, true);
        return { cell, fill: add("i", {}, "", hold), text: add("span", {}, "", cell) };
      });
    } else {
      for (let map = 0; map < layer.maps; map++) {
        const e = add("div", { class: "map" }, "", view.grid);
        view.maps.push(e);
        e.context = canvas(layer.columns, layer.rows, e).getContext("2d");
        e.onclick = (event) => {
          const r = e.firstChild.getBoundingClientRect();
          const on = (v, n) => Math.max(0, Math.min(n - 1, Math.floor(v * n)));
          choose(at, map, on((event.clientY - r.top) / r.height, layer.rows),
            on((event.clientX - r.left) / r.width, layer.columns), true);
        };
      }
      view.line = element("div", { role: "row" });
      view.cell = add("div", { role: "gridcell", tabindex: 0 }, "", view.line);
    }
    view.grid.onkeydown = (e) => keys(e, at);
    return view;
  });
  add("p", { class: "note" }, tr`Scaled to fit 20×20, then moved until its centre of mass is in the
    middle, as MNIST was made.`, middle);
  add("p", { class: "note legend" }, tr`Orange: positive. Purple: negative. The strongest colour is the
    layer's largest number. Choose a unit of any layer, or a digit's bar: its arithmetic appears, and
    on the picture a frame around what it sees. Keys: arrows, Home, End; Page Up and Page Down change
    the map.`, layers);
  layers.prepend(layers.lastChild);

  const keys = (e, at) => {
    const v = views[at], { rows, columns, maps, name } = v.layer;
    let { map, i, j } = v;
    // The digits stand under each other: there up and down change the digit.
    const list = name === "scores";
    const moves = {
      ArrowRight: () => (j = Math.min(columns - 1, j + !list)),
      ArrowLeft: () => (j = Math.max(0, j - !list)),
      ArrowDown: () => (list ? (j = Math.min(columns - 1, j + 1)) : (i = Math.min(rows - 1, i + 1))),
      ArrowUp: () => (list ? (j = Math.max(0, j - 1)) : (i = Math.max(0, i - 1))),
      Home: () => { j = 0; if (e.ctrlKey) map = i = 0; },
      End: () => { j = columns - 1; if (e.ctrlKey) [map, i] = [maps - 1, rows - 1]; },
      PageDown: () => (map = Math.min(maps - 1, map + 1)),
      PageUp: () => (map = Math.max(0, map - 1)),
      Enter: () => 0, " ": () => 0,
    };
    if (!moves[e.key] || e.altKey || e.metaKey) return;
    e.preventDefault();
    e.stopPropagation();
    moves[e.key]();
    choose(at, map, i, j, true);
  };
  const choose = (at, map, i, j, focus) => {
    if (!answer) return;
    if (!chosen || chosen !== views[at] || chosen.map !== map) channel = null;
    Object.assign(views[at], { map, i, j });
    chosen = views[at];
    chosen.whole.after(panel);
    if (chosen.whole.parentNode !== layers) layers.prepend(panel);
    paint();
    if (focus) (chosen.bars ? chosen.bars[j].cell : chosen.cell).focus({ preventScroll: true });
    announce(panel.innerText);
  };

  // ---- painting ----
  const paintMaps = ({ layer: { name, rows, columns }, maps }) => {
    const x = answer[name], largest = largestOf(x);
    maps.forEach((e, map) =>
      paintNumbers(e.context, x, map * rows * columns, rows, columns, largest, colours(box)));
  };
  const paint = () => {
    box.classList.toggle("empty", !answer);
    const read = answer && answer.probabilities.indexOf(Math.max(...answer.probabilities));
    said.textContent = !answer ? tr`Draw a digit, or choose an example.`
      : verdict(answer.probabilities) + (truth === null || truth === read ? "" : " " + tr`It is a ${truth}.`);
    root.querySelectorAll(".frame").forEach((f) => f.remove());
    if (!answer) return;
    const picture = answer.input.map((v) => v * STD + MEAN);
    const best = answer.probabilities.indexOf(Math.max(...answer.probabilities));
    views.forEach((view, at) => {
      const { layer, map, i, j } = view;
      if (layer.name === "input") gray(view.maps[0].context, picture);
      else if (!view.bars) paintMaps(view);
      if (view.bars) view.bars.forEach(({ cell, fill, text }, d) => {
        fill.style.width = `${100 * answer.probabilities[d]}%`;
        text.textContent = percent(answer.probabilities[d]);
        cell.parentNode.classList.toggle("best", d === best);
        cell.setAttribute("aria-selected", view === chosen && d === j);
        cell.tabIndex = d === j ? 0 : -1;
      });
      else {
        // Focus would be lost by moving the cell within its own map.
        if (view.line.parentNode !== view.maps[map]) view.maps[map].append(view.line);
        view.line.setAttribute("aria-rowindex", i + 1);
        view.cell.setAttribute("aria-colindex", j + 1);
        view.cell.setAttribute("aria-selected", view === chosen);
        view.cell.setAttribute("aria-label", unitName(layer, map, i, j) + ": " +
          fixed(answer[layer.name][(map * layer.rows + i) * layer.columns + j]));
        place(view.cell, i, j, layer.rows, layer.columns);
      }
      if (view === chosen) {
        const [r, q, side] = field(layer, i, j);
        frameOn(views[0].maps[0], LAYERS[0], r, q, side);
        if (layer.name === "conv2") views[2].maps.forEach((m) => frameOn(m, LAYERS[2], i, j, 5));
        if (layer.name.startsWith("pool")) frameOn(views[at - 1].maps[map], LAYERS[at - 1], 2 * i, 2 * j, 2);
        describe(panel, view, [r, q, side], explain(weights, answer, at, map, i, j, channel), picture,
          (c) => {
            channel = c;
            paint();
            panel.querySelector("select").focus();
            announce(panel.querySelector(".before").textContent);
          });
      }
    });
  };

  pad.redraw();
  followTheme(host, box, paint);

  // For other scripts of the page: show an image (784 numbers from 0 to 1) or strokes; both return
  // what every layer gives. `use` takes another network: its weights, and what is known of it.
  host.digit = {
    use: (lists, words) => {
      weights = lists.map((list) => Float32Array.from(list));
      about.textContent = words;
      pad.redraw();
    },
    image: (pixels) => { pad.show(Float32Array.from(pixels), []); return answer; },
    strokes: (list) => { pad.show(null, list); return answer; },
    answer: () => answer,
  };
};

begin("cnn-draw-digit", start);
