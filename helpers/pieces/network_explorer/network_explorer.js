// Makes every .cnn-network-explorer of the page a stack of layers to edit. CSS is defined before this
// text by Python; base.js and stack.js stand before it.

const NAMES = {
  conv: tr`convolution`, maxpool: tr`max pooling`, avgpool: tr`average pooling`, globalpool: tr`global average pooling`,
  residual: tr`residual block`, relu: "ReLU", batchnorm: tr`batch normalisation`, lrn: tr`local response normalisation`,
  dropout: tr`dropout`, flatten: tr`flatten`, linear: tr`fully connected`,
};
const SETTINGS = { n: tr`filters`, k: tr`kernel`, s: tr`stride`, p: tr`padding`, d: tr`dilation`, g: tr`groups`, nobias: tr`no bias` };
const settingName = (kind, name) => (name === "n" && kind === "linear" ? tr`units` : SETTINGS[name]);
const RARE = ["d", "g", "nobias"]; // shown in the chosen layer, and where they are not as usual
const PLAIN = ["relu", "batchnorm", "lrn", "dropout", "flatten"]; // not drawn: they keep what there is
const MOST = 200; // layers
const TALL = 120; // pixels of the drawing

const many = (v) => v.toLocaleString("en");
const short = (v) => {
  const rounded = (unit) => Number((v / unit).toPrecision(3));
  return v >= 1e9 ? tr`${rounded(1e9)} billion` : v >= 1e6 ? tr`${rounded(1e6)} million` : many(v);
};
const memory = (bytes) => (bytes >= 2 ** 20 ? `${Number((bytes / 2 ** 20).toPrecision(3))} MiB` : `${Number((bytes / 1024).toPrecision(3))} KiB`);
// A layer in one line, for where its fields are not shown: "convolution, filters 64, kernel 3".
const inWords = ({ kind, set }) => [NAMES[kind], ...Object.keys(set).filter((name) => set[name] !== KINDS[kind][name] || name === "k")
  .map((name) => settingName(kind, name) + (name === "nobias" ? "" : ` ${set[name]}`))].join(", ");
const sized = (shape) => shape.map(many).join(" × ");

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

  add("p", { class: "title" }, D.t);
  const tools = add("div", { class: "tools" });
  const total = add("p", { class: "total" });
  const hold = add("div", { class: "scroll" });
  const sees = add("div", { class: "sees" });
  const list = add("ol", { class: "layers" });
  const more = add("details", {});
  const live = add("p", { class: "live", "aria-live": "polite" });
  const announce = announcer(live);

  let layers = [], size = [], chosen = 0, found = { rows: [] };

  // ---- the picture's size, and stacks to begin with ----
  const preset = add("select", {}, "", add("label", {}, tr`Network` + " ", tools));
  add("option", { value: "" }, tr`your own`, preset);
  D.p.forEach(([name], n) => add("option", { value: n }, name, preset));
  preset.onchange = () => {
    if (preset.value === "") return;
    const [name, text, given] = D.p[preset.value];
    use(text, given);
    announce(`${name}. ${total.textContent}`);
  };
  const whole = (to, label, value, low, high, action) => {
    const e = add("input", { type: "text", inputmode: "numeric", autocomplete: "off", "aria-label": label }, "", to);
    e.value = value;
    const changed = () => {
      const v = /^\d+$/.test(e.value.trim()) ? +e.value : NaN;
      const fine = v >= low && v <= high;
      e.toggleAttribute("aria-invalid", !fine);
      e.title = fine ? "" : tr`a whole number from ${low} to ${high}`;
      if (fine) action(v);
      else total.textContent = tr`${label}: “${e.value}” is no whole number from ${low} to ${high}. The last one counts.`;
    };
    e.oninput = changed;
    e.onkeydown = (event) => {
      event.stopPropagation();
      const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      e.value = Math.min(high, Math.max(low, (+e.value || 0) + by));
      changed();
    };
    return e;
  };
  const sizes = add("span", { class: "group", role: "group", "aria-label": tr`Size of the picture` }, "", tools);
  const sizeFields = [tr`channels of the picture`, tr`rows of the picture`, tr`columns of the picture`].map((name, n) => {
    add("span", { "aria-hidden": "true" }, n ? " × " : tr`Picture (C × H × W)` + " ", sizes);
    return whole(sizes, name, 1, 1, n ? 1024 : 64, (v) => { size[n] = v; changed(); });
  });

  const use = (text, given) => {
    layers = readStack(text);
    size = [...given];
    chosen = Math.max(0, layers.findLastIndex(({ kind }) => kind === "conv" || kind === "residual"));
    sizeFields.forEach((e, n) => { e.value = size[n]; e.removeAttribute("aria-invalid"); });
    build();
  };

  // ---- the layers, as a list of cards ----
  const cards = [];
  const kinds = (to, label) => {
    const e = add("select", { "aria-label": label }, "", to);
    for (const kind in KINDS) add("option", { value: kind }, NAMES[kind], e);
    return e;
  };
  const fresh = (kind, from = {}) => {
    const set = {};
    for (const [name, normal] of Object.entries(KINDS[kind]))
      set[name] = from[name] ?? normal ?? (name === "n" ? 16 : from.k ?? 2);
    return { kind, set };
  };
  const move = (at, to) => {
    layers.splice(to, 0, ...layers.splice(at, 1));
    chosen = to;
    build();
    cards[to].up.focus();
    announce(tr`Now layer ${to + 1}.` + ` ${total.textContent}`);
  };
  // The chosen layer alone shows all that it has, so the list changes its height: its place under the
  // finger is kept, by hand, because not every browser does.
  const pick = (at) => {
    if (at === chosen) return;
    const top = () => cards[at].card.getBoundingClientRect().top, before = top();
    chosen = at;
    paint();
    list.scrollTop += top() - before;
  };
  const build = () => {
    const kept = list.scrollTop;
    list.textContent = "";
    cards.length = 0;
    layers.forEach((layer, at) => {
      const card = add("li", {}, "", list);
      const line = add("div", { class: "line" }, "", card);
      const name = (text) => tr`${text} of layer ${at + 1}`;
      const kind = kinds(line, name(tr`kind`));
      kind.value = layer.kind;
      kind.onchange = () => {
        layers[at] = fresh(kind.value, layer.set);
        build();
        list.children[at].querySelector("select").focus();
      };
      for (const setting in layer.set) {
        const rare = RARE.includes(setting) && layer.set[setting] === KINDS[layer.kind][setting];
        const label = add("label", rare ? { class: "rare" } : {}, settingName(layer.kind, setting) + " ", line);
        if (setting === "nobias") {
          const e = add("input", { type: "checkbox" }, "", label);
          e.checked = layer.set.nobias;
          e.onchange = () => { layer.set.nobias = +e.checked; changed(); };
        } else whole(label, name(settingName(layer.kind, setting)), layer.set[setting], lowest(setting), LARGEST,
          (v) => { layer.set[setting] = v; changed(); });
      }
      const buttons = add("span", { class: "buttons" }, "", card);
      const up = button("↑", () => at && move(at, at - 1), buttons, { "aria-label": tr`layer ${at + 1} up` });
      button("↓", () => at < layers.length - 1 && move(at, at + 1), buttons, { "aria-label": tr`layer ${at + 1} down` });
      button("+", () => insert(at + 1), buttons, { "aria-label": tr`a layer after layer ${at + 1}` });
      button("✕", () => {
        layers.splice(at, 1);
        chosen = Math.max(0, Math.min(chosen, layers.length - 1));
        build();
        (list.children[Math.min(at, layers.length - 1)]?.querySelector("select") ?? last).focus();
        announce(tr`Taken away.` + " " + total.textContent);
      }, buttons, { "aria-label": tr`take layer ${at + 1} away` });
      const choose = button("", () => { pick(at); announce(sees.innerText || total.textContent); }, line, { class: "gives" });
      card.addEventListener("focusin", () => pick(at));
      const what = addTo(choose, "span", { class: "what" }), gives = addTo(choose, "span");
      cards.push({ card, up, choose, what, gives });
    });
    list.scrollTop = kept;
    changed();
  };
  const insert = (at) => {
    if (layers.length >= MOST) return announce(tr`There are ${MOST} layers, the most that fit here.`);
    layers.splice(at, 0, fresh("conv", { p: 1 }));
    chosen = at;
    build();
    list.children[at].querySelector("select").focus();
  };
  const last = button(tr`Add a layer`, () => insert(layers.length), box);
  list.after(last);

  const changed = () => {
    found = workOut(layers, size);
    const text = stackText(layers);
    const is = D.p.findIndex(([, other, given]) => other === text && given.join() === size.join());
    preset.value = is < 0 ? "" : is;
    paint();
  };

  // ---- what it costs ----
  const paint = () => {
    const { rows, at, error } = found;
    const sum = (name) => rows.reduce((a, row) => a + row[name], 0);
    const kept = rows.reduce((a, { shape }) => a + 4 * product(shape), 0);
    total.textContent = error ? tr`Layer ${at + 1}, ${NAMES[layers[at].kind]}: ${error}`
      : tr`${rows.length} layers, ${many(sum("parameters"))} parameters (${memory(4 * sum("parameters"))}),
        ${many(sum("work"))} multiply-adds and ${memory(kept)} of results for one picture.`;
    total.classList.toggle("warn", !!error);
    cards.forEach(({ card, choose, what, gives }, n) => {
      const row = rows[n];
      card.classList.toggle("chosen", n === chosen);
      card.classList.toggle("wrong", n === at);
      choose.setAttribute("aria-pressed", n === chosen);
      what.textContent = inWords(layers[n]) + " ";
      gives.textContent = row ? `→ ${sized(row.shape)}` + (row.parameters ? " · " + tr`${many(row.parameters)} parameters` : "") +
        (row.work ? " · " + tr`${short(row.work)} multiply-adds` : "") + " · " + tr`sees ${seen(row).join(" × ")}`
        : n === at ? error : "—";
    });
    draw();
    look();
    code.textContent = torchText(layers.slice(0, rows.length), size);
    line.textContent = `explore_network("${stackText(layers)}", size=(${size.join(", ")}))`;
    link.hidden = !/^https?:/.test(location.protocol) || !!host.closest(".jp-Notebook");
  };
  const seen = ({ fields }) => fields.map(([length]) => length);

  // ---- drawn to scale: the height of a box is that of its maps, its width their number ----
  const SVG = "http://www.w3.org/2000/svg";
  const draw = () => {
    hold.textContent = "";
    const drawn = found.rows.flatMap(({ shape }, n) => (PLAIN.includes(layers[n].kind) ? [] : [[n, shape]]));
    const shapes = [size, ...drawn.map(([, shape]) => shape)];
    const maps = shapes.filter((shape) => shape.length > 1);
    const deep = maps.reduce((a, [c]) => a + c, 0), high = Math.max(...maps.map(([, h]) => h), 1);
    const scale = Math.min(4, 560 / deep);
    let x = 2;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("preserveAspectRatio", "none");
    const ends = [];
    // A finger is wider than a box: the whole height above and below it counts.
    svg.onclick = (event) => {
      const { left, width } = svg.getBoundingClientRect();
      const at = ((event.clientX - left) / width) * x;
      const hit = ends.find(([end]) => at < end) ?? ends.at(-1);
      if (!hit) return;
      pick(hit[1]);
      const { card } = cards[chosen];
      list.scrollTop += card.getBoundingClientRect().top - list.getBoundingClientRect().top - 8;
    };
    shapes.forEach((shape, place) => {
      const n = place ? drawn[place - 1][0] : -1, kind = layers[n]?.kind;
      const flat = shape.length === 1;
      const width = flat ? 5 : Math.max(1.5, shape[0] * scale), height = flat ? TALL : Math.max(2, (TALL * shape[1]) / high);
      const rect = document.createElementNS(SVG, "rect");
      const put = { x, y: 2 + (TALL - height) / 2, width, height, class: (kind ?? "input") + (kind && n === chosen ? " chosen" : "") };
      for (const name in put) rect.setAttribute(name, put[name]);
      const title = document.createElementNS(SVG, "title");
      title.textContent = (NAMES[kind] ?? tr`picture`) + ": " + sized(shape);
      rect.append(title);
      svg.append(rect);
      if (kind) ends.push([x + width + 1.5, n]);
      x += width + 3;
    });
    svg.setAttribute("viewBox", `0 0 ${x} ${TALL + 4}`);
    svg.setAttribute("width", x);
    svg.setAttribute("height", TALL + 4);
    hold.append(svg);
  };
  const drawing = add("p", { class: "note" }, tr`To scale: the height of a box is the height of its maps, the width is how many
    there are. Thin tall bars are flat lists of numbers, not to scale. ReLU and its like are not drawn. Choose a layer to see
    what one of its units sees.`);
  hold.after(drawing);

  // ---- what one unit sees of a picture ----
  const photo = host.querySelector("img");
  const look = () => {
    sees.textContent = "";
    const row = found.rows[chosen];
    if (!row) return;
    const flat = row.shape.length === 1 || product(row.shape.slice(1)) === 1;
    const from = row.fields.map(([, jump, first], a) => first + (flat ? 0 : Math.floor((row.shape[a + 1] - 1) / 2) * jump));
    const field = seen(row), sides = size.slice(1);
    // The frame shows as much of the outside as the field needs, at most half a picture.
    const out = sides.map((side, a) => Math.min(side / 2, Math.max(0, -from[a], from[a] + field[a] - side)));
    const view = add("div", { class: "view" }, "", sees), tall = sides[0] + 2 * out[0], wide = sides[1] + 2 * out[1];
    view.style.aspectRatio = `${wide} / ${tall}`;
    const place = (e, top, left, height, width) => Object.assign(e.style, { top: `${(100 * top) / tall}%`,
      left: `${(100 * left) / wide}%`, height: `${(100 * height) / tall}%`, width: `${(100 * width) / wide}%` });
    const picture = add("img", { src: photo.src, alt: "" }, "", view);
    place(picture, out[0], out[1], ...sides);
    place(add("div", { class: "frame" }, "", view), from[0] + out[0], from[1] + out[1], ...field);
    const words = add("div", {}, "", sees);
    add("p", { class: "name" }, tr`A unit of layer ${chosen + 1}, ${NAMES[layers[chosen].kind]}`, words);
    add("p", {}, flat ? tr`It sees ${field.join(" × ")} pixels.`
      : tr`It sees ${field.join(" × ")} pixels; its neighbour sees the same, ${row.fields[0][1]} further on.`, words);
    const beyond = field.map((length, a) => length - Math.max(0, Math.min(sides[a], from[a] + length) - Math.max(0, from[a])));
    if (beyond.some((v) => v > 0)) add("p", {}, tr`Of these, ${beyond[0]} rows and ${beyond[1]} columns lie outside the picture, in the padding.`, words);
    add("p", {}, tr`Its output holds ${many(product(row.shape))} numbers: ${memory(4 * product(row.shape))}.`, words);
  };

  // ---- out of the page, and back ----
  add("summary", {}, tr`Take it with you`, more);
  add("p", { class: "note" }, tr`As a line for a notebook of the course:`, more);
  const line = add("pre", { tabindex: 0 }, "", more);
  add("p", { class: "note" }, tr`In PyTorch:`, more);
  const code = add("pre", { tabindex: 0 }, "", more);
  const copy = (text, name, attributes) => button(name, async (event) => {
    try {
      await navigator.clipboard.writeText(text());
      announce(tr`Copied.`);
    } catch (error) {
      event.target.nextElementSibling?.focus();
    }
  }, more, attributes);
  copy(() => line.textContent, tr`Copy the line`);
  copy(() => code.textContent, tr`Copy the PyTorch text`);
  // A page may hold several: the second has a link of its own.
  const which = [...document.querySelectorAll(".cnn-network-explorer")].indexOf(host);
  const mark = `#network${which ? which + 1 : ""}=`;
  const link = copy(() => location.href.split("#")[0] + mark +
    encodeURIComponent(`${size.join("x")};${stackText(layers)}`), tr`Copy a link to it`);

  followTheme(host, box);
  use(D.n, D.s);
  const follow = () => {
    if (!location.hash.startsWith(mark)) return;
    let given, text;
    try {
      [given, text] = decodeURIComponent(location.hash.slice(mark.length)).split(";");
    } catch { /* a link that was cut in the middle of a sign */ }
    const sent = given?.split("x").map(Number);
    if (sent?.length === 3 && sent.every((v) => Number.isInteger(v) && v > 0 && v <= 1024) && text && readStack(text)) use(text, sent);
    else total.textContent = tr`The link holds no network that can be read; perhaps a part of it is missing.
      Below is the network that stands here without it.`;
    host.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  follow();

  // For other scripts of the page: put a stack in, and read what it costs.
  host.networkExplorer = { use, found: () => found, text: () => stackText(layers) };
};

begin("cnn-network-explorer", start);
