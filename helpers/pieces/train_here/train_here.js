// Makes every .cnn-train-here of the page a place to train the network of lesson 05. CSS is defined
// before this text by Python; base.js and the other scripts stand before it.

const SLICE = 12; // milliseconds of learning between two pictures on the screen
const STRONGEST = 0.5; // the weight of a filter that gets the strongest colour
const PATIENCE = 3; // epochs

const CHOICES = {
  rate: [tr`Learning rate`, [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]],
  momentum: [tr`Momentum`, [0, 0.5, 0.9, 0.99]],
  batch: [tr`Batch size`, [1, 5, 20, 50, 200]],
  shift: [tr`Random shifts, in pixels`, [0, 1, 2, 3]],
};
const STOPS = [
  ["10", tr`after 10 epochs`],
  ["30", tr`after 30 epochs`],
  ["accuracy", tr`at 95 % of the validation digits`],
  ["early", tr`when the validation loss has not fallen for ${PATIENCE} epochs`],
  ["never", tr`when I press Pause`],
];

const start = (host, D) => {
  const root = host.attachShadow({ mode: "open" });
  root.append(element("style", {}, CSS));
  const box = addTo(root, "section", { class: "box", "aria-label": D.t });
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // of JupyterLab, which take the keys away
  const add = (tag, attributes, text, to = box) => addTo(to, tag, attributes, text);
  const button = (text, action, to) => {
    const b = add("button", { type: "button" }, text, to);
    b.onclick = action;
    return b;
  };
  const group = (name, label, to) => add("div", { class: name, role: "group", "aria-label": label }, "", to);

  // ---- the run ----
  const labels = D.l.flatMap((counts) => counts.flatMap((count, digit) => Array(count).fill(digit)));
  const pixels = unpackDigits(D.d, labels.length).map((digit) => Float64Array.from(digit, (level) => D.v[level] / 255));
  const inputs = pixels.map((digit, k) => [digit.map((p) => (p - MEAN) / STD), labels[k]]);
  const run = makeRun({ train: inputs.slice(0, D.n), validation: inputs.slice(D.n), every: D.m }, { ...D.s });
  const aside = inputs.length - D.n;
  let state = "ready", ended = "", from = 0, goal = 0, frame = 0;
  const epoch = () => run.seen / D.n;
  const last = () => run.points[run.points.length - 1];
  const share = (p) => `${(100 * p).toFixed(1)} %`;

  // ---- the parts of the page ----
  add("p", { class: "title" }, D.t);
  add("p", { class: "note" }, tr`The network of lesson 05, without its dropout, learns from ${D.n} digits of
    MNIST. ${aside} others, the validation digits, only measure it. All of it happens in this page.`);
  const now = add("p", { class: "state" });
  const why = add("p", { class: "why" });
  const buttons = group("buttons", tr`Training`);
  const go = button("", () => (state === "running" ? pause() : goOn()), buttons);
  button(tr`One step`, () => { step(1); say(); }, buttons);
  button(tr`Rewind`, () => { rewind(); say(); }, buttons);
  const controls = group("controls", tr`Settings`);
  const charts = add("div", { class: "stage" });
  const measured = add("p", { class: "numbers" });
  const looks = add("div", { class: "stage" });
  const live = add("p", { class: "live", "aria-live": "polite" });
  const announce = announcer(live);
  const say = () => announce(`${now.textContent} ${measured.textContent}`);

  for (const [key, [name, values]] of Object.entries(CHOICES)) {
    const label = add("label", {}, "", controls);
    const words = add("span", {}, name + " ", label), shown = add("b", {}, "", words);
    const input = add("input", { type: "range", min: 0, max: values.length - 1, step: 1, "aria-label": name }, "", label);
    input.value = values.indexOf(run.settings[key]);
    const show = () => {
      shown.textContent = values[input.value];
      input.setAttribute("aria-valuetext", values[input.value]);
    };
    input.oninput = () => {
      run.settings[key] = values[input.value];
      show();
      code.textContent = asTorch();
    };
    show();
  }
  const stopping = add("select", {}, "", add("label", {}, tr`Stop` + " ", controls));
  for (const [value, text] of STOPS) add("option", { value }, text, stopping);
  const seed = add("input", { type: "number", min: 0, max: 2 ** 32 - 1, step: 1, value: 1 }, "", add("label", {}, tr`Seed` + " ", controls));
  seed.onchange = () => {
    seed.value = Math.max(0, Math.min(2 ** 32 - 1, Math.floor(+seed.value || 0)));
    rewind();
    say();
  };

  const figure = (name, ticks, lines, words) => {
    const whole = add("div", { class: "chart" }, "", charts);
    add("p", { class: "name" }, name, whole);
    const show = makeChart(whole, ticks, lines);
    const legend = add("p", { class: "note" }, "", whole);
    lines.forEach((line, n) => {
      add("i", { class: "line " + line }, "", legend);
      legend.append(` ${words[n]} `);
    });
    return show;
  };
  const showLoss = figure(tr`Loss`, [0, 0.5, 1, 1.5, 2, 2.5].map((v) => [v, v]), ["training", "validation"],
    [tr`training digits`, tr`validation digits`]);
  const showAccuracy = figure(tr`Accuracy`, [0, 0.25, 0.5, 0.75, 1].map((v) => [v, `${100 * v} %`]), ["validation"],
    [tr`validation digits`]);

  // ---- what the network makes of a digit ----
  const draw = add("div", { class: "draw" }, "", looks);
  const said = add("p", { class: "name said" }, "", draw);
  let which = 0;
  const pad = makePad(draw, { announce, said: () => said.textContent, changed: () => paint() });
  const padButtons = group("buttons", tr`Digit`, draw);
  const another = () => {
    which = (which + 67) % aside; // they are sorted
    pad.show(pixels[D.n + which], []);
  };
  button(tr`Another digit`, () => { another(); announce(said.textContent); }, padButtons);
  button(tr`Clear`, pad.clear, padButtons);
  button(tr`Undo`, pad.undo, padButtons);
  const hand = button(tr`Use it in “Draw a digit”`, () => {
    const about = tr`Trained in this page: seed ${run.seed}, ${run.step} steps, ${share(last().accuracy)} of ${aside}
      validation digits read correctly.`;
    for (const other of drawers()) other.digit.use(run.weights, about);
    announce(tr`“Draw a digit” now answers with this network.`);
  }, padButtons);
  const drawers = () => [...document.querySelectorAll(".cnn-draw-digit")].filter((e) => e.digit);
  add("p", { class: "note" }, tr`Draw here, also while it learns: by mouse, by finger, or with the arrow keys and Space.`, draw);

  const answers = add("table", { class: "bars" }, "", looks);
  answers.createCaption().textContent = tr`What it makes of it`;
  const bars = Array.from({ length: 10 }, (_, digit) => {
    const row = answers.insertRow();
    add("th", { scope: "row" }, digit, row);
    const hold = add("div", { class: "hold" }, "", add("td", { "aria-hidden": "true" }, "", row));
    return { fill: add("i", {}, "", hold), text: add("td", {}, "", row) };
  });

  const inside = add("div", { class: "inside" }, "", looks);
  const rows = [[tr`Filters at the start`, 5], [tr`Filters now`, 5], [tr`Their feature maps`, 24]].map(([name, side], n) => {
    add("p", { class: "name" }, name, inside);
    const words = n < 2 ? [tr`The ten filters of the first layer at the start`, tr`The ten filters of the first layer now`][n]
      : tr`The ten feature maps of the digit`;
    const line = add("div", { class: "ten", role: "img", "aria-label": words }, "", inside);
    return { side, line, contexts: Array.from({ length: 10 }, () => canvas(side, side, line).getContext("2d")) };
  });
  const changeOf = add("p", { class: "note" }, "", inside);

  const paintTen = ({ side, contexts }, x, largest) => contexts.forEach((context, n) =>
    paintNumbers(context, x, n * side * side, side, side, largest, colours(box)));

  // ---- painting ----
  const paint = () => {
    const point = last();
    const where = tr`step ${run.step}, epoch ${epoch().toFixed(1)}`;
    now.textContent = {
      ready: "■ " + tr`Ready. The network knows nothing yet.`,
      running: "▶ " + tr`Running: ${where}.`,
      paused: "❚❚ " + tr`Paused at ${where}.`,
      finished: "■ " + tr`Finished at ${where}:` + " " + ended,
      failed: "✕ " + tr`Stopped at ${where}.`,
    }[state];
    box.dataset.state = state;
    if (state !== "failed") why.textContent = "";
    go.textContent = state === "running" ? tr`Pause` : run.seen ? tr`Go on` : tr`Start`;
    hand.hidden = !drawers().length;
    const epochs = 10 * Math.max(1, Math.ceil(epoch() / 10));
    const list = (value) => run.points.map((p) => [p.seen / D.n, value(p)]);
    const [loss, read] = [point.validation.toFixed(3), Math.round(point.accuracy * aside)];
    measured.textContent = (point.loss === null ? tr`Loss: validation ${loss}.`
      : tr`Loss: training ${point.loss.toFixed(3)}, validation ${loss}.`) + " " +
      tr`Accuracy: ${read} of ${aside} validation digits, ${share(point.accuracy)}.`;
    showLoss([list((p) => p.loss), list((p) => p.validation)], epochs, tr`Loss over ${epochs} epochs.` + ` ${measured.textContent}`);
    showAccuracy([list((p) => p.accuracy)], epochs, tr`Accuracy over ${epochs} epochs.` + ` ${measured.textContent}`);
    const drawnPixels = pad.pixels();
    const answer = drawnPixels && forward(run.weights, normalise(drawnPixels));
    const known = pixels.indexOf(drawnPixels);
    said.textContent = answer ? verdict(answer.probabilities) +
      (known < 0 ? "" : " " + tr`It is a ${labels[known]}.`) : tr`Draw a digit.`;
    box.classList.toggle("empty", !answer);
    const best = answer && answer.probabilities.indexOf(Math.max(...answer.probabilities));
    bars.forEach(({ fill, text }, digit) => {
      const p = answer ? answer.probabilities[digit] : 0;
      fill.style.width = `${100 * p}%`;
      text.textContent = answer ? percent(p) : "";
      fill.parentNode.className = digit === best ? "hold best" : "hold";
    });
    const maps = answer ? answer.conv1 : new Float32Array(5760);
    paintTen(rows[0], run.first, STRONGEST);
    paintTen(rows[1], run.weights[0], STRONGEST);
    paintTen(rows[2], maps, largestOf(maps));
    const change = run.weights[0].reduce((most, v, k) => Math.max(most, Math.abs(v - run.first[k])), 0);
    changeOf.textContent = tr`Orange: positive. Purple: negative; a filter's strongest colour is ${STRONGEST}, a map's the
      largest number of the ten. The weight that changed most moved by ${change.toFixed(3)}.`;
    if (more.open) fillTable();
  };

  // ---- values and code, as text ----
  const more = add("details", {});
  add("summary", {}, tr`All that was measured, as a table`, more);
  const hold = add("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": tr`All that was measured` }, "", more);
  const table = add("table", { class: "values" }, "", hold);
  const fillTable = () => {
    while (table.rows.length > run.points.length + 1) table.deleteRow(-1);
    if (!table.rows.length) {
      const head = table.createTHead().insertRow();
      for (const text of [tr`step`, tr`epoch`, tr`training loss`, tr`validation loss`, tr`accuracy`]) add("th", { scope: "col" }, text, head);
    }
    for (let n = table.rows.length - 1; n < run.points.length; n++) {
      const p = run.points[n], row = table.insertRow();
      for (const text of [p.step, (p.seen / D.n).toFixed(1), p.loss === null ? "" : p.loss.toFixed(3), p.validation.toFixed(3),
        share(p.accuracy)]) add("td", {}, text, row);
    }
  };
  more.ontoggle = () => more.open && fillTable();
  const other = add("details", {});
  add("summary", {}, tr`The same in PyTorch`, other);
  const code = add("pre", { tabindex: 0 }, "", other);
  const asTorch = () => "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n" +
    "net = nn.Sequential(\n    nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(),\n    nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(),\n" +
    "    nn.Flatten(), nn.Linear(320, 50), nn.ReLU(), nn.Linear(50, 10),\n)\n" +
    `optimizer = torch.optim.SGD(net.parameters(), lr=${run.settings.rate}, momentum=${run.settings.momentum})\n` +
    "for images, labels in loader:  " + (run.settings.shift
      ? tr`# in batches of ${run.settings.batch}, each image moved by up to ${run.settings.shift} pixels`
      : tr`# in batches of ${run.settings.batch}`) + "\n" +
    "    optimizer.zero_grad()\n    F.cross_entropy(net(images), labels).backward()\n    optimizer.step()\n";

  // ---- running ----
  const fail = () => {
    const { rate, momentum } = run.settings;
    const what = run.failed === "dead" ? tr`The network has died: whatever it sees, its ten scores are the same. Its ReLUs
      give 0 for every digit, and where ReLU gives 0 no gradient comes through, so it would never learn again.`
      : tr`The loss is not a number any more: the weights have grown until the scores are too large for a computer.`;
    run.restore(run.last);
    state = "failed";
    paint();
    why.textContent = `${what} ` + (momentum ? tr`The steps were too large: a rate of ${rate}, which a momentum of
      ${momentum} can make ${plain(1 / (1 - momentum))} times as large.` : tr`The steps were too large: a rate of ${rate}.`) +
      " " + tr`The weights of step ${run.last.point.step} are back. Choose a smaller rate, then go on or rewind.`;
    announce(`${now.textContent} ${why.textContent}`);
  };
  // Why it is to stop here, or nothing.
  const reached = () => {
    const { value } = stopping, point = last();
    if (!run.isWhole || point.seen !== run.seen || run.seen === from) return "";
    if (value === "accuracy") return point.accuracy >= 0.95 ? tr`${share(point.accuracy)} of the validation digits are read.` : "";
    if (value === "early") {
      const best = run.best.point;
      if (run.seen - Math.max(best.seen, from) < PATIENCE * D.n) return "";
      run.restore(run.best);
      return tr`no lower validation loss for ${PATIENCE} epochs. The weights of step ${best.step}, with the lowest, are back.`;
    }
    return run.seen >= goal ? tr`${Math.round(epoch())} epochs are done.` : "";
  };
  const slice = () => {
    if (!host.isConnected) return pause();
    const end = performance.now() + SLICE;
    do {
      run.work();
      if (run.failed) return fail();
      ended = reached();
      if (ended) {
        state = "finished";
        paint();
        return say();
      }
    } while (performance.now() < end);
    paint();
    frame = requestAnimationFrame(slice);
  };
  const goOn = () => {
    for (const e of document.querySelectorAll(".cnn-train-here")) e.trainHere?.pause();
    const epochs = +stopping.value;
    goal = epochs ? (Math.floor(epoch() / epochs) + 1) * epochs * D.n : Infinity;
    from = run.seen;
    state = "running";
    paint();
    say();
    frame = requestAnimationFrame(slice);
  };
  const pause = () => {
    cancelAnimationFrame(frame);
    if (state !== "running") return;
    state = "paused";
    paint();
    say();
  };
  // Ends the step that is being done, if any; otherwise does `count` steps.
  const step = (count) => {
    cancelAnimationFrame(frame);
    if (!run.isWhole) count = 1;
    for (const end = run.step + count; !run.failed && (run.step < end || !run.isWhole); ) run.work();
    if (run.failed) return fail();
    state = "paused";
    paint();
  };
  const rewind = () => {
    cancelAnimationFrame(frame);
    state = "ready";
    run.rewind(+seed.value);
    paint();
  };

  code.textContent = asTorch();
  rewind();
  another();
  followTheme(host, box, paint);

  // For other scripts of the page.
  host.trainHere = {
    pause, step, rewind,
    set: (settings) => Object.assign(run.settings, settings),
    gradients: (numbers) => run.gradientsOf(numbers).map((g) => [...g]),
    weights: () => run.weights.map((w) => [...w]),
    points: () => run.points,
    state: () => ({ state, step: run.step, settings: run.settings }),
    digits: () => pixels.map((digit) => [...digit]),
    // Which digits it reads in images: lists of 784 numbers from 0 to 1.
    read: (images) => images.map((image) => run.read(Float64Array.from(image, (p) => (p - MEAN) / STD))),
  };
};

begin("cnn-train-here", start);
