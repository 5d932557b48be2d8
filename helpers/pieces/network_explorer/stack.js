// A stack of layers as text, and what each of them costs and sees: the same as stack.py.

const MUST = null; // a number that has to be given
const KINDS = {
  conv: { n: MUST, k: 3, s: 1, p: 0, d: 1, g: 1, nobias: 0 },
  maxpool: { k: 2, s: MUST, p: 0 },
  avgpool: { k: 2, s: MUST, p: 0 },
  globalpool: {},
  residual: { n: MUST, s: 1 },
  relu: {},
  batchnorm: {},
  lrn: {},
  dropout: {},
  flatten: {},
  linear: { n: MUST },
};
const LARGEST = 10000;

const layerText = ({ kind, set }) => {
  const parts = [kind];
  for (const [name, normal] of Object.entries(KINDS[kind])) {
    const value = set[name];
    if (name === "n") parts.push(value);
    else if (name === "nobias") value && parts.push(name);
    else if (value !== (normal ?? set.k)) parts.push(name + value);
  }
  return parts.join(" ");
};
const stackText = (layers) => layers.map(layerText).join(", ");

// The layers of a text, or null if a part of it is no layer.
const readStack = (text) => {
  const layers = [];
  for (const part of text.split(",")) {
    const [kind, ...words] = part.trim().split(/\s+/);
    if (!kind) continue;
    if (!Object.hasOwn(KINDS, kind)) return null;
    const given = {}, set = {};
    for (const word of words) {
      const found = /^([kspdg]?)(\d{1,5})$|^(nobias)$/.exec(word);
      const name = found && (found[3] || found[1] || "n");
      if (!found || !Object.hasOwn(KINDS[kind], name) || name in given) return null;
      given[name] = found[2] ? +found[2] : 1;
    }
    for (const [name, normal] of Object.entries(KINDS[kind])) {
      set[name] = given[name] ?? normal ?? (name === "n" ? NaN : given.k ?? 2);
      if (!(set[name] >= lowest(name) && set[name] <= LARGEST)) return null;
    }
    layers.push({ kind, set });
  }
  return layers;
};
const lowest = (name) => (name === "p" || name === "nobias" ? 0 : 1);

const product = (list) => list.reduce((a, b) => a * b, 1);

// [sizes, fields] after a window has slid over the maps; a field is [size, jump, start].
const slide = (sides, fields, k, s, p, d = 1) => {
  const span = d * (k - 1) + 1;
  for (const side of sides)
    if (side + 2 * p < span)
      throw Error(tr`its window spans ${span}, but the map with its padding has only ${side + 2 * p}: a padding of
        ${Math.ceil((span - side) / 2)} would do, or a smaller kernel.`);
  return [sides.map((side) => Math.floor((side + 2 * p - span) / s) + 1),
    fields.map(([size, jump, first]) => [size + (span - 1) * jump, jump * s, first - p * jump])];
};

// {shape, parameters, work, fields} after a layer; an Error says what does not fit, and what would.
const step = ({ kind, set }, { shape, fields }) => {
  const made = (to, parameters = 0, work = 0, seen = fields) => ({ shape: to, parameters, work, fields: seen });
  const [channels, ...sides] = shape;
  if (kind === "relu" || kind === "dropout") return made(shape);
  if (kind === "linear") {
    if (sides.length) throw Error(tr`it takes a flat list of numbers: put flatten before it.`);
    return made([set.n], set.n * (channels + 1), set.n * channels);
  }
  if (kind === "batchnorm") return made(shape, 2 * channels);
  if (!sides.length) throw Error(tr`it takes maps, but there is a flat list of numbers before it.`);
  if (kind === "lrn") return made(shape);
  if (kind === "flatten" || kind === "globalpool") {
    const flat = kind === "flatten";
    const whole = fields.map(([size, jump, first], a) => [size + (sides[a] - 1) * jump, jump * (flat ? 1 : sides[a]), first]);
    return made(flat ? [product(shape)] : [channels, 1, 1], 0, 0, whole);
  }
  if (kind === "residual") {
    const n = set.n, [half, first] = slide(sides, fields, 3, set.s, 1);
    const [out, seen] = slide(half, first, 3, 1, 1);
    const isOther = set.s !== 1 || n !== channels;
    const weights = 9 * n * (channels + n) + (isOther ? n * channels : 0);
    return made([n, ...out], weights + n * (isOther ? 6 : 4), weights * product(out), seen);
  }
  const [out, seen] = slide(sides, fields, set.k, set.s, set.p, set.d);
  if (kind !== "conv") {
    if (2 * set.p > set.k) throw Error(tr`padding is at most half of the kernel: ${Math.floor(set.k / 2)}.`);
    return made([channels, ...out], 0, 0, seen);
  }
  const { n, g } = set;
  if (channels % g || n % g) {
    const fits = Array.from({ length: Math.min(channels, n) }, (_, k) => k + 1).filter((k) => !(channels % k || n % k));
    throw Error(tr`${g} groups do not divide ${channels} channels and ${n} filters; these do: ${fits.join(", ")}.`);
  }
  const weights = n * (channels / g) * set.k ** 2;
  return made([n, ...out], weights + (set.nobias ? 0 : n), weights * product(out), seen);
};

// What every layer gives; after one that does not fit there is nothing: {rows, at, error}.
const workOut = (layers, size) => {
  let now = { shape: size, fields: [[1, 1, 0], [1, 1, 0]] };
  const rows = [];
  for (const [at, layer] of layers.entries()) {
    try {
      rows.push((now = step(layer, now)));
    } catch (error) {
      return { rows, at, error: error.message };
    }
  }
  return { rows };
};

// ---- the same as a program ----
const torchText = (layers, size) => {
  const { rows } = workOut(layers, size), needs = new Set();
  let shape = size;
  const lines = rows.map(({ shape: to }, n) => {
    const { kind, set } = layers[n], [channels, flat] = [shape[0], shape.length === 1];
    shape = to;
    const options = (names) => names.map(([short, long, normal]) => (set[short] === normal ? "" : `, ${long}=${set[short]}`)).join("");
    switch (kind) {
      case "conv": return `nn.Conv2d(${channels}, ${set.n}, ${set.k}` +
        options([["s", "stride", 1], ["p", "padding", 0], ["d", "dilation", 1], ["g", "groups", 1]]) + (set.nobias ? ", bias=False)" : ")");
      case "maxpool": case "avgpool": return `nn.${kind === "maxpool" ? "Max" : "Avg"}Pool2d(${set.k}` +
        options([["s", "stride", set.k], ["p", "padding", 0]]) + ")";
      case "residual": {
        needs.add("from torchvision.models.resnet import BasicBlock");
        const other = set.s !== 1 || set.n !== channels;
        return `BasicBlock(${channels}, ${set.n}` + (set.s !== 1 ? `, stride=${set.s}` : "") + (other ?
          `, downsample=nn.Sequential(\n        nn.Conv2d(${channels}, ${set.n}, 1, stride=${set.s}, bias=False), nn.BatchNorm2d(${set.n}))` : "") + ")";
      }
      case "linear": return `nn.Linear(${channels}, ${set.n})`;
      case "batchnorm": return `nn.BatchNorm${flat ? 1 : 2}d(${channels})`;
      default: return { globalpool: "nn.AdaptiveAvgPool2d(1)", relu: "nn.ReLU()", lrn: "nn.LocalResponseNorm(5)",
        dropout: "nn.Dropout()", flatten: "nn.Flatten()" }[kind];
    }
  });
  return ["from torch import nn", ...needs].join("\n") + "\n\n" + tr`# takes pictures of shape (N, ${size.join(", ")})` +
    `\nmodel = nn.Sequential(\n${lines.map((line) => `    ${line},\n`).join("")})\n`;
};
