// The network of lesson 05: its weights, and what every layer gives. No page is needed for this.

const SIDE = 28, MEAN = 0.1307, STD = 0.3081;
const SHAPES = [[10, 1, 5, 5], [10], [20, 10, 5, 5], [20], [50, 320], [50], [10, 50], [10]];

// What is shown, from the input on: maps, their side (or their columns), and the receptive field of
// a unit in the input (size, and step from one unit to the next).
const LAYERS = [
  { name: "input", maps: 1, rows: 28, columns: 28, size: 1, jump: 1 },
  { name: "conv1", maps: 10, rows: 24, columns: 24, size: 5, jump: 1 },
  { name: "pool1", maps: 10, rows: 12, columns: 12, size: 6, jump: 2 },
  { name: "conv2", maps: 20, rows: 8, columns: 8, size: 14, jump: 2 },
  { name: "pool2", maps: 20, rows: 4, columns: 4, size: 16, jump: 4 },
  { name: "linear1", maps: 1, rows: 5, columns: 10, size: 28, jump: 0 },
  { name: "scores", maps: 1, rows: 1, columns: 10, size: 28, jump: 0 },
];

// A number of 16 bits (IEEE 754), which older browsers cannot read by themselves.
const half = (bits) => {
  const sign = bits & 0x8000 ? -1 : 1, power = (bits >> 10) & 31, rest = bits & 1023;
  return sign * (power ? (1 + rest / 1024) * 2 ** (power - 15) : rest * 2 ** -24);
};

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

const unpack = (text) => {
  const view = new DataView(bytes(text).buffer);
  let at = 0;
  return SHAPES.map((shape) => {
    const w = new Float32Array(shape.reduce((a, b) => a * b));
    for (let i = 0; i < w.length; i++, at += 2) w[i] = half(view.getUint16(at, true));
    return w;
  });
};

const convolve = (x, channels, n, w, b, filters) => {
  const o = n - 4, y = new Float32Array(filters * o * o);
  for (let f = 0; f < filters; f++)
    for (let i = 0; i < o; i++)
      for (let j = 0; j < o; j++) {
        let sum = b[f];
        for (let c = 0; c < channels; c++)
          for (let r = 0; r < 5; r++) {
            const from = (c * n + i + r) * n + j, at = ((f * channels + c) * 5 + r) * 5;
            for (let q = 0; q < 5; q++) sum += x[from + q] * w[at + q];
          }
        y[(f * o + i) * o + j] = sum;
      }
  return y;
};

// Max pooling by 2, then ReLU.
const pool = (x, maps, n) => {
  const o = n / 2, y = new Float32Array(maps * o * o);
  for (let c = 0; c < maps; c++)
    for (let i = 0; i < o; i++)
      for (let j = 0; j < o; j++) {
        const at = (c * n + 2 * i) * n + 2 * j;
        y[(c * o + i) * o + j] = Math.max(0, x[at], x[at + 1], x[at + n], x[at + n + 1]);
      }
  return y;
};

const linear = (x, w, b) => b.map((bias, k) => {
  let sum = bias;
  for (let i = 0; i < x.length; i++) sum += x[i] * w[k * x.length + i];
  return sum;
});

// What every layer gives for 28×28 normalised pixels, by the names of LAYERS.
const forward = (weights, input) => {
  const [w1, b1, w2, b2, w3, b3, w4, b4] = weights;
  const conv1 = convolve(input, 1, 28, w1, b1, 10);
  const pool1 = pool(conv1, 10, 24);
  const conv2 = convolve(pool1, 10, 12, w2, b2, 20);
  const pool2 = pool(conv2, 20, 8);
  const linear1 = linear(pool2, w3, b3).map((v) => Math.max(0, v));
  const scores = linear(linear1, w4, b4);
  const top = Math.max(...scores);
  const log = top + Math.log(scores.reduce((sum, v) => sum + Math.exp(v - top), 0));
  const log_probabilities = scores.map((v) => v - log);
  return { input, conv1, pool1, conv2, pool2, linear1, scores, log_probabilities,
    probabilities: log_probabilities.map(Math.exp) };
};

const normalise = (pixels) => Float32Array.from(pixels, (p) => (p - MEAN) / STD);

// The part of the input that a unit sees: [first row, first column, side].
const field = (layer, i, j) => [i * layer.jump, j * layer.jump, layer.size];
