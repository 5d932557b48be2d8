// The arithmetic behind one unit: sentences and tables. Numbers have three digits after the point,
// so that a reader can add them up.

const fixed = (v, digits = 3) => {
  const text = Math.abs(v).toFixed(digits);
  return v < 0 && Number(text) ? "−" + text : text;
};
const term = (v) => (fixed(v)[0] === "−" ? `(${fixed(v)})` : fixed(v));
const total = (list) => list.reduce((a, b) => a + b, 0);
const percent = (p) => (p < 0.0005 ? "< 0.1%" : p > 0.9995 ? "> 99.9%" :
  `${(100 * p).toFixed(1)}%`);
const grid = (list, columns) => Array.from({ length: list.length / columns },
  (_, r) => list.slice(r * columns, (r + 1) * columns).map((v) => fixed(v)));

const SHOWN = 8; // contributions that a linear unit names; the rest is added up

// What a layer is called, and what it does.
const titlesOf = ({ name }) => ({
  input: [tr`Input`],
  conv1: [tr`Convolution 1`, tr`10 filters of 5×5`],
  pool1: [tr`Max pooling and ReLU 1`, tr`the largest of each 2×2, negative ones become 0`],
  conv2: [tr`Convolution 2`, tr`20 filters of 10×5×5`],
  pool2: [tr`Max pooling and ReLU 2`, tr`320 numbers for the next layer`],
  linear1: [tr`Linear 1 and ReLU`, tr`each unit sees all 320`],
  scores: [tr`Linear 2`],
})[name];

// What a unit is called: for units in maps [map, row, column], for the others their number.
const unitName = (layer, map, i, j) => {
  if (layer.name === "scores") return tr`digit ${j}`;
  if (layer.name === "linear1") return tr`unit ${i * layer.columns + j}`;
  return layer.maps > 1 ? tr`map ${map}, row ${i}, column ${j}` : tr`row ${i}, column ${j}`;
};

// A window of a map, row by row.
const patch = (x, n, map, i, j, size) => {
  const list = [];
  for (let r = 0; r < size; r++)
    for (let q = 0; q < size; q++) list.push(x[(map * n + i + r) * n + j + q]);
  return list;
};

const explainConvolution = (x, channels, n, w, bias, map, i, j, value, channel) => {
  const windows = [], kernels = [], sums = [];
  for (let c = 0; c < channels; c++) {
    windows.push(patch(x, n, c, i, j, 5));
    kernels.push([...w.slice((map * channels + c) * 25, (map * channels + c + 1) * 25)]);
    sums.push(total(windows[c].map((v, k) => v * kernels[c][k])));
  }
  const sizes = sums.map(Math.abs);
  const shown = channel ?? sizes.indexOf(Math.max(...sizes));
  const lines = [channels > 1
    ? tr`Sums of the ${channels} channels, and the bias: ${sums.map(term).join(" + ")} + bias ${term(bias)} ≈ ${fixed(value)}`
    : tr`Sum of the 25 products ${fixed(sums[0])} + bias ${term(bias)} ≈ ${fixed(value)}`];
  const products = windows[shown].map((v, k) => v * kernels[shown][k]);
  return { lines, value, channels, shown,
    before: channels > 1 ? tr`Channel ${shown}: the 25 products add up to ${fixed(sums[shown])}.` : "",
    tables: [
      { caption: channels > 1 ? tr`Window of channel ${shown}` : tr`Window`, rows: grid(windows[shown], 5) },
      { caption: channels > 1 ? tr`× kernel of channel ${shown}` : tr`× kernel`, rows: grid(kernels[shown], 5) },
      { caption: tr`= products`, rows: grid(products, 5) },
    ] };
};

const explainPool = (x, n, map, i, j, value) => {
  const list = patch(x, n, map, 2 * i, 2 * j, 2);
  const top = Math.max(...list), best = list.indexOf(top);
  return { value, tables: [{ caption: tr`Window of map ${map}`, best,
    rows: grid(list, 2) }],
    lines: [`max(${list.map((v) => fixed(v)).join(", ")}) = ${fixed(top)}`,
      `ReLU: max(0, ${fixed(top)}) = ${fixed(value)}`] };
};

const explainLinear = (x, w, bias, k, names) => {
  const all = [...x].map((v, n) => [n, v, w[k * x.length + n]]);
  const order = all.slice().sort((a, b) => Math.abs(b[1] * b[2]) - Math.abs(a[1] * a[2]) || a[0] - b[0]);
  const [first, rest] = [order.slice(0, SHOWN), order.slice(SHOWN)];
  const sums = [first, rest].map((list) => total(list.map(([, v, weight]) => v * weight)));
  const value = sums[0] + sums[1] + bias;
  return { value,
    tables: [{ caption: tr`The ${SHOWN} largest contributions of ${x.length}`,
      head: [tr`input`, tr`value`, tr`× weight`, tr`= contribution`],
      rows: first.map(([n, v, weight]) => [names(n), fixed(v), fixed(weight), fixed(v * weight)]) }],
    lines: [tr`These ${SHOWN} together ${fixed(sums[0])} + the other ${rest.length} together
      ${term(sums[1])} + bias ${term(bias)} ≈ ${fixed(value)}`] };
};

// What stands behind a unit of LAYERS[at]. `channel` is the one whose products are shown.
const explain = (weights, answer, at, map, i, j, channel) => {
  const layer = LAYERS[at];
  const value = answer[layer.name][(map * layer.rows + i) * layer.columns + j];
  const [w1, b1, w2, b2, w3, b3, w4, b4] = weights;
  if (layer.name === "input") {
    const ink = value * STD + MEAN;
    return { value, tables: [], lines: [tr`Ink here, from 0 (none) to 1 (full), minus the mean of
      MNIST's pixels, divided by their standard deviation: (${fixed(ink)} − ${MEAN}) / ${STD}
      ≈ ${fixed(value)}`] };
  }
  if (layer.name === "conv1")
    return explainConvolution(answer.input, 1, 28, w1, b1[map], map, i, j, value, 0);
  if (layer.name === "conv2")
    return explainConvolution(answer.pool1, 10, 12, w2, b2[map], map, i, j, value, channel);
  if (layer.name === "pool1") return explainPool(answer.conv1, 24, map, i, j, value);
  if (layer.name === "pool2") return explainPool(answer.conv2, 8, map, i, j, value);
  if (layer.name === "linear1") {
    const k = i * layer.columns + j;
    const made = explainLinear(answer.pool2, w3, b3[k], k, (n) =>
      unitName(LAYERS[4], Math.floor(n / 16), Math.floor(n / 4) % 4, n % 4));
    made.lines.push(`ReLU: max(0, ${fixed(made.value)}) = ${fixed(value)}`);
    return { ...made, value };
  }
  const made = explainLinear(answer.linear1, w4, b4[j], j, (n) => tr`unit ${n}`);
  const top = Math.max(...answer.scores);
  const powers = [...answer.scores].map((v) => Math.exp(v - top));
  made.lines.push(tr`Softmax: e to this score, divided by the sum of e to each of the ten scores.
    With the largest score ${fixed(top)} taken off all ten first:
    e^(${fixed(value - top)}) / ${fixed(total(powers))} ≈ ${fixed(answer.probabilities[j])},
    that is ${percent(answer.probabilities[j])}`);
  return { ...made, value };
};

// What the piece says about its answer.
const verdict = (p) => {
  const order = [...p.keys()].sort((a, b) => p[b] - p[a]);
  const one = (d) => `${d} (${percent(p[d])})`;
  return p[order[0]] >= 0.5 ? tr`Read as ${one(order[0])}.`
    : tr`Unsure: ${one(order[0])} or ${one(order[1])}.`;
};
