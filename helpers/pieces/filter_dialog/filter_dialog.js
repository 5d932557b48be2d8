// Makes every .cnn-filter-dialog of the page a dialog to try filters on pictures. CSS is defined
// before this text by Python; base.js and compute.js stand before it.

const WIDEST = 384; // an own picture is made as small as the course's photos
const CHANNELS = [tr`red`, tr`green`, tr`blue`];

// "1/9" and "0,5" are numbers, too; null is none.
const read = (text) => {
  const value = readNumber(text);
  return value !== null && Math.abs(value) < 1e9 ? value : null;
};
const term = (v) => (v < 0 ? `(${plain(v)})` : plain(v));

const planesOf = (source, width, height) => {
  const context = element("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const planes = [0, 1, 2].map((c) => Float64Array.from({ length: width * height }, (_, k) => data[4 * k + c]));
  return { width, height, planes };
};

const start = (host, D) => {
  const root = host.attachShadow({ mode: "open" });
  root.append(element("style", {}, CSS));
  const box = addTo(root, "section", { class: "box", "aria-label": D.t });
  host.setAttribute("data-lm-suppress-shortcuts", "true"); // of JupyterLab, which take the keys away
  const add = (tag, attributes, text, to = box) => addTo(to, tag, attributes, text);
  const button = (text, action, to, attributes = {}) => {
    const b = add("button", { type: "button", ...attributes }, text, to);
    b.onclick = action;
    return b;
  };
  const choice = (name, options, to, action) => {
    const label = add("label", {}, name + " ", to);
    const e = add("select", {}, "", label);
    for (const [value, text] of options) add("option", { value }, text, e);
    e.onchange = () => action(e.value);
    return e;
  };

  add("p", { class: "title" }, D.t);
  const sources = add("div", { class: "buttons", role: "group", "aria-label": tr`Picture` });
  const presets = add("div", { class: "buttons", role: "group", "aria-label": tr`Filters` });
  const stage = add("div", { class: "stage" });
  const side = add("div", { class: "side" }, "", stage);
  const [before, after] = [tr`Picture`, tr`Result`].map((name) => {
    const whole = add("div", { class: "view" }, "", stage);
    const caption = add("p", { class: "name" }, name, whole);
    const hold = add("div", { class: "hold" }, "", whole);
    return { name, caption, hold };
  });
  stage.append(side);
  const state = add("p", { class: "note" });
  const panel = add("div", { class: "panel" });
  const more = add("details", {});
  const live = add("p", { class: "live", "aria-live": "polite" });
  const announce = announcer(live);

  const S = { numbers: [], size: 3, divisor: 1, offset: 0, border: "zero" };
  let shown = "cut", isColour = false, picture, image, result, at = [0, 0], held = false, channel = 0, video = null;

  // ---- pictures ----
  const take = (made, name) => {
    picture = made;
    image = null;
    at = [Math.floor(made.height / 2), Math.floor(made.width / 2)];
    before.name = name;
    refresh();
  };
  const fitted = (width, height) => {
    const scale = Math.min(1, WIDEST / Math.max(width, height));
    return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  };
  const photos = [...host.querySelectorAll("img")];
  const useOne = (img) => img.decode().then(() => {
    leaveCamera();
    take(planesOf(img, img.naturalWidth, img.naturalHeight), img.alt);
  });
  if (photos.length > 1) for (const img of photos) button(img.alt, () => useOne(img), sources);
  const openFile = (file) => {
    if (!file) return;
    const img = new Image(), address = URL.createObjectURL(file);
    img.onload = () => {
      leaveCamera();
      take(planesOf(img, ...fitted(img.naturalWidth, img.naturalHeight)), tr`Your picture`);
      URL.revokeObjectURL(address);
    };
    img.onerror = () => { warn(tr`${file.name} cannot be shown here: take a PNG, JPEG or WebP file.`); };
    img.src = address;
  };
  const file = add("input", { type: "file", accept: "image/*", hidden: "" }, "", sources);
  file.onchange = () => { openFile(file.files[0]); file.value = ""; };
  button(tr`Your picture …`, () => file.click(), sources);
  box.ondragover = (e) => e.preventDefault();
  box.ondrop = (e) => { e.preventDefault(); openFile(e.dataTransfer.files[0]); };
  const leaveCamera = () => {
    if (!video) return;
    video.srcObject.getTracks().forEach((track) => track.stop());
    video = null;
    camera.textContent = tr`Camera`;
  };
  const watchCamera = () => {
    if (!video) return;
    if (!host.isConnected || document.hidden) return leaveCamera();
    if (video.videoWidth) {
      const keep = at;
      take(planesOf(video, ...fitted(video.videoWidth, video.videoHeight)), tr`Camera`);
      at = keep.map((v, n) => Math.min(v, [picture.height, picture.width][n] - 1));
    }
    requestAnimationFrame(watchCamera);
  };
  const camera = button(tr`Camera`, async () => {
    if (video) return leaveCamera();
    try {
      const made = element("video", { muted: "", playsinline: "" });
      made.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: WIDEST } });
      await made.play();
      video = made;
      camera.textContent = tr`Stop the camera`;
      watchCamera();
    } catch (error) {
      warn(tr`There is no camera here, or the page may not use it.`);
    }
  }, sources);
  camera.hidden = !navigator.mediaDevices?.getUserMedia;
  add("span", { class: "note" }, tr`Pictures stay in this page.`, sources);

  // ---- the filter ----
  const grid = add("div", { class: "kernel", role: "group", "aria-label": tr`The numbers of the filter` }, "", side);
  const warning = add("p", { class: "warn", role: "status" }, "", side);
  const warn = (text) => { warning.textContent = text; };
  let fields = [];
  const field = (to, label, value, action) => {
    const e = add("input", { type: "text", autocomplete: "off", "aria-label": label }, "", to);
    e.value = plain(value);
    const changed = () => {
      const v = read(e.value);
      e.toggleAttribute("aria-invalid", v === null);
      const wrong = v === null ? tr`“${e.value}” is not a number. The last one counts.` : action(v);
      warn(wrong || "");
      if (!wrong) refresh();
    };
    e.oninput = changed;
    e.onkeydown = (event) => {
      event.stopPropagation();
      const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      e.value = plain((read(e.value) ?? 0) + step);
      changed();
    };
    return e;
  };
  const build = () => {
    grid.textContent = "";
    grid.style.gridTemplateColumns = `repeat(${S.size}, 1fr)`;
    fields = S.numbers.map((v, n) =>
      field(grid, tr`row ${Math.floor(n / S.size)}, column ${n % S.size}`, v, (to) => { S.numbers[n] = to; }));
    divisor.value = plain(S.divisor);
    offset.value = plain(S.offset);
    sizes.value = S.size;
  };
  const resize = (size) => {
    const numbers = Array(size * size).fill(0), shift = (size - S.size) / 2;
    S.numbers.forEach((v, n) => {
      const [i, j] = [Math.floor(n / S.size) + shift, (n % S.size) + shift];
      if (i >= 0 && j >= 0 && i < size && j < size) numbers[i * size + j] = v;
    });
    Object.assign(S, { numbers, size });
    build();
    refresh();
  };
  const controls = add("div", { class: "controls" }, "", side);
  const sizes = choice(tr`Size`, [[3, "3 × 3"], [5, "5 × 5"]], controls, (v) => resize(+v));
  const labelled = (name, value, action) => field(add("label", {}, name + " ", controls), name, value, action);
  const divisor = labelled(tr`Divisor`, 1, (v) => {
    if (!v) return tr`Nothing can be divided by 0. The last divisor counts.`;
    S.divisor = v;
  });
  const offset = labelled(tr`Offset`, 0, (v) => { S.offset = v; });
  button(tr`Divisor = sum`, () => {
    S.divisor = S.numbers.reduce((a, b) => a + b, 0) || 1;
    build();
    refresh();
  }, controls, { title: tr`Then the picture keeps its brightness. If the sum is 0, the divisor is 1.` });
  const borders = choice(tr`Outside the picture`, Object.entries(BORDERS).map(([k, v]) => [k, v[0]]), controls,
    (v) => { S.border = v; refresh(); });
  const views = choice(tr`Show values`, Object.entries(SHOWN).map(([k, v]) => [k, v[0]]), controls,
    (v) => { shown = v; refresh(); });
  const colour = add("input", { type: "checkbox" }, "", add("label", { class: "check" }, "", controls));
  colour.after(" " + tr`in colour`);
  colour.onchange = () => { isColour = colour.checked; image = null; refresh(); };

  const usePreset = ([name, numbers, by, plus, view]) => {
    Object.assign(S, { numbers: [...numbers], size: Math.sqrt(numbers.length), divisor: by, offset: plus });
    shown = views.value = view;
    warn("");
    build();
    refresh();
    announce(`${name}. ${state.textContent}`);
  };
  const buttons = D.f.map((preset) => button(preset[0], () => usePreset(preset), presets));

  // ---- computing and painting: at most once a frame ----
  let waiting = false;
  const refresh = () => {
    if (waiting || !picture) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; run(); });
  };
  const run = () => {
    image ??= isColour ? picture : toGrey(picture);
    if (S.border === "none" && Math.min(image.width, image.height) < S.size)
      return warn(tr`This picture is smaller than the filter.`);
    result = filter(image, S);
    const fresh = (view, made, turn) => {
      if (view.painted === made) return;
      view.painted = made;
      view.canvas ??= canvas(made.width, made.height, view.hold);
      if (view.canvas.width !== made.width) view.canvas.width = made.width;
      if (view.canvas.height !== made.height) view.canvas.height = made.height;
      paintOn(view.canvas.getContext("2d"), made, turn);
      view.caption.textContent = `${view.name}: ${made.height} × ${made.width}`;
    };
    fresh(before, image, (v) => v);
    fresh(after, result, SHOWN[shown][1]);
    let low = 0, high = 0, all = 0;
    for (const plane of result.planes)
      for (let k = 0; k < plane.length; k++, all++) { low += plane[k] < 0; high += plane[k] > 255; }
    const share = (n) => (n && n < all / 200 ? tr`under 1 %` : `${Math.round((100 * n) / all)} %`);
    state.textContent = tr`${share(low)} of the values are below 0, ${share(high)} above 255.` + " " + BORDERS[S.border][2];
    buttons.forEach((b, n) => b.setAttribute("aria-pressed", D.f[n][1].join() === S.numbers.join() &&
      D.f[n][2] === S.divisor && D.f[n][3] === S.offset));
    code.textContent = asTorch();
    inspect();
  };

  // ---- one pixel, worked out ----
  const moveTo = (i, j) => {
    at = [Math.max(0, Math.min(result.height - 1, i)), Math.max(0, Math.min(result.width - 1, j))];
    inspect();
  };
  const inspect = () => {
    const [i, j] = (at = [Math.min(at[0], result.height - 1), Math.min(at[1], result.width - 1)]);
    const { size } = S, r = (size - 1) / 2, shift = S.border === "none" ? r : 0;
    const c = Math.min(channel, image.planes.length - 1);
    const found = S.numbers.map((weight, n) => {
      const [row, column] = [i + shift - r + Math.floor(n / size), j + shift - r + (n % size)];
      const [from, to] = [source(row, image.height, S.border), source(column, image.width, S.border)];
      const isOut = row < 0 || row >= image.height || column < 0 || column >= image.width;
      return { weight, isOut, v: from < 0 || to < 0 ? 0 : image.planes[c][from * image.width + to] };
    });
    const total = found.reduce((a, { v, weight }) => a + v * weight, 0);
    const value = result.planes[c][i * result.width + j];
    frame(before, i + shift - r, j + shift - r, size, image);
    frame(after, i, j, 1, result);
    panel.textContent = "";
    const where = tr`row ${i}, column ${j}` + (image.planes.length > 1 ? `, ${CHANNELS[c]}` : "");
    add("p", { class: "name" }, tr`Result at ${where}: ${plain(value)}`, panel);
    const hold = add("div", { class: "scroll" }, "", panel);
    const table = add("table", {}, "", hold);
    table.createCaption().textContent = tr`pixel × number of the filter`;
    for (let a = 0; a < size; a++) {
      const line = table.insertRow();
      for (let b = 0; b < size; b++) {
        const { v, weight, isOut } = found[a * size + b];
        const cell = add("td", { class: isOut ? "out" : "" }, plain(v), line);
        add("small", {}, ` × ${term(weight)}`, cell);
      }
    }
    const products = found.filter(({ weight }) => weight).map(({ v, weight }) => `${plain(v)}×${term(weight)}`);
    const some = products.length > 9 ? [...products.slice(0, 8), "…"] : products;
    let text = (some.join(" + ") || tr`no number but 0`) + ` = ${plain(total)}`;
    if (S.divisor !== 1) text += "; " + tr`divided by ${plain(S.divisor)}: ${plain(total / S.divisor)}`;
    if (S.offset) text += "; " + tr`plus ${plain(S.offset)}: ${plain(value)}`;
    const seen = Math.max(0, Math.min(255, Math.round(SHOWN[shown][1](value))));
    if (seen !== value) text += "; " + tr`shown as ${seen}`;
    add("p", { class: "sum" }, text + ".", panel);
    if (found.some(({ isOut }) => isOut)) add("p", { class: "note" }, tr`Dashed: outside the picture.`, panel);
    if (image.planes.length > 1) {
      const select = choice(tr`Work out`, CHANNELS.map((name, n) => [n, name]), panel, (v) => {
        channel = +v;
        inspect();
        panel.querySelector("select").focus();
      });
      select.value = c;
    }
    if (hold.scrollWidth > hold.clientWidth) Object.assign(hold, { tabIndex: 0 });
    panel.said = `${where}: ${text}`;
  };
  const frame = (view, i, j, side, made) => {
    view.frame ??= add("div", { class: "frame", "aria-hidden": "true" }, "", view.hold);
    Object.assign(view.frame.style, {
      top: `${(100 * i) / made.height}%`, left: `${(100 * j) / made.width}%`,
      height: `${(100 * side) / made.height}%`, width: `${(100 * side) / made.width}%` });
  };
  for (const view of [before, after]) {
    const { hold } = view;
    const point = (e) => {
      const box = view.canvas.getBoundingClientRect(), made = view === after ? result : image;
      const shift = view === before && S.border === "none" ? (S.size - 1) / 2 : 0;
      moveTo(Math.floor(((e.clientY - box.top) / box.height) * made.height) - shift,
        Math.floor(((e.clientX - box.left) / box.width) * made.width) - shift);
    };
    hold.onpointermove = (e) => { if (result && (e.pointerType !== "mouse" || !held)) point(e); };
    hold.onpointerdown = (e) => {
      if (!result) return;
      held = e.pointerType === "mouse" && !held;
      hold.classList.toggle("held", held);
      point(e);
      announce(panel.said);
    };
  }
  Object.assign(after.hold, { tabIndex: 0, onkeydown: (e) => {
    const far = e.shiftKey ? 10 : 1;
    const by = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] }[e.key];
    if (!by || !result) return;
    e.preventDefault();
    e.stopPropagation();
    moveTo(at[0] + by[0], at[1] + by[1]);
    announce(panel.said);
  } });
  after.hold.setAttribute("role", "application");
  after.hold.setAttribute("aria-label", tr`The result. Arrow keys move the pixel that is worked out below.`);

  // ---- the same in PyTorch ----
  add("summary", {}, tr`The same in PyTorch`, more);
  const code = add("pre", { tabindex: 0 }, "", more);
  button(tr`Copy`, async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      announce(tr`Copied.`);
    } catch (error) {
      getSelection().selectAllChildren(code);
    }
  }, more);
  const asTorch = () => {
    const line = (n) => "    [" + S.numbers.slice(n * S.size, (n + 1) * S.size).join(", ") + "],\n";
    const rows = Array.from({ length: S.size }, (_, n) => line(n)).join("");
    const r = (S.size - 1) / 2, [mode, zero] = [BORDERS[S.border][1], S.border === "zero"];
    return "import torch\nimport torch.nn.functional as F\n\n" +
      tr`# x: pictures of shape (N, 1, H, W), numbers from 0 to 255` + "\n" +
      `kernel = torch.tensor([\n${rows}], dtype=x.dtype)\n` +
      (mode && !zero ? `x = F.pad(x, (${r}, ${r}, ${r}, ${r}), mode="${mode}")\n` : "") +
      `out = F.conv2d(x, kernel[None, None]${zero ? `, padding=${r}` : ""})` +
      (S.divisor !== 1 ? ` / ${S.divisor}` : "") + (S.offset ? ` + ${S.offset}` : "") + "\n";
  };

  add("p", { class: "note" }, tr`Move over a picture, or use the arrow keys in the result (with Shift: ten pixels); a
    click holds the pixel. In a number, the arrow keys add and take away 1. The filter is laid on as it is, not
    turned. A file can be dropped here.`);
  followTheme(host, box);
  usePreset(D.f[D.s]);
  useOne(photos[0]);

  // For other scripts of the page: put in a picture of grey values (0 to 255), change settings, and
  // read the result, not rounded.
  host.filterDialog = {
    image: (values, width, height) => {
      const plane = Float64Array.from(values);
      take({ width, height, planes: [plane, plane, plane] }, tr`Your picture`);
      run();
    },
    set: (settings) => { Object.assign(S, settings); build(); run(); },
    result: () => ({ width: result.width, height: result.height, values: [...result.planes[0]] }),
  };
};

begin("cnn-filter-dialog", start);
