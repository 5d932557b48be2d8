// How the network of lesson 05 learns, without its dropout: gradients and steps of SGD. No page is
// needed for this. Numbers are float64, so that Python gets the same ones.

// Uniform numbers in [0, 1) from a seed, of 32 bits each: Tommy Ettinger's mulberry32 (public domain).
const makeRandom = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
  t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

const size = (shape) => shape.reduce((a, b) => a * b);
const zeros = () => SHAPES.map((shape) => new Float64Array(size(shape)));

// PyTorch's rule for new layers: weights and biases within ±1/√n, where n numbers go into a unit.
const newWeights = (random) => {
  let bound;
  return zeros().map((w, k) => {
    if (k % 2 === 0) bound = 1 / Math.sqrt(size(SHAPES[k].slice(1)));
    return w.map(() => (2 * random() - 1) * bound);
  });
};

// Convolution, max pooling by 2 and ReLU, for all maps of one image. `best` gets the place in x of
// the window that won. Two filters and the four windows of a pooled place are summed at once, and
// each row of five taps is written out: a loop over the taps takes twice the time.
const convolvePool = (x, channels, n, w, b, filters, y, best) => {
  const side = (n - 4) / 2, taps = 25 * channels;
  for (let f = 0, to = 0; f < filters; f += 2, to += side * side)
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++, to++) {
        const from = 2 * i * n + 2 * j;
        let a0 = b[f], a1 = a0, a2 = a0, a3 = a0, e0 = b[f + 1], e1 = e0, e2 = e0, e3 = e0;
        for (let c = 0, k = f * taps, l = k + taps; c < channels; c++)
          for (let r = 0, at = c * n * n + from; r < 5; r++, at += n, k += 5, l += 5) {
            let p = x[at], q = x[at + n], s = x[at + 1], t = x[at + n + 1], u = w[k], v = w[l];
            a0 += u * p; a1 += u * s; a2 += u * q; a3 += u * t;
            e0 += v * p; e1 += v * s; e2 += v * q; e3 += v * t;
            p = x[at + 2]; q = x[at + n + 2]; u = w[k + 1]; v = w[l + 1];
            a0 += u * s; a1 += u * p; a2 += u * t; a3 += u * q;
            e0 += v * s; e1 += v * p; e2 += v * t; e3 += v * q;
            s = x[at + 3]; t = x[at + n + 3]; u = w[k + 2]; v = w[l + 2];
            a0 += u * p; a1 += u * s; a2 += u * q; a3 += u * t;
            e0 += v * p; e1 += v * s; e2 += v * q; e3 += v * t;
            p = x[at + 4]; q = x[at + n + 4]; u = w[k + 3]; v = w[l + 3];
            a0 += u * s; a1 += u * p; a2 += u * t; a3 += u * q;
            e0 += v * s; e1 += v * p; e2 += v * t; e3 += v * q;
            s = x[at + 5]; t = x[at + n + 5]; u = w[k + 4]; v = w[l + 4];
            a0 += u * p; a1 += u * s; a2 += u * q; a3 += u * t;
            e0 += v * p; e1 += v * s; e2 += v * q; e3 += v * t;
          }
        let place = from;
        if (a1 > a0) { a0 = a1; place = from + 1; }
        if (a2 > a0) { a0 = a2; place = from + n; }
        if (a3 > a0) { a0 = a3; place = from + n + 1; }
        y[to] = a0 < 0 ? 0 : a0;
        best[to] = place;
        place = from;
        if (e1 > e0) { e0 = e1; place = from + 1; }
        if (e2 > e0) { e0 = e2; place = from + n; }
        if (e3 > e0) { e0 = e3; place = from + n + 1; }
        y[to + side * side] = e0 < 0 ? 0 : e0;
        best[to + side * side] = place;
      }
};

// From the gradient of y: adds to those of w and b, and to that of x where there is one. Only
// windows that won, and that ReLU let through, have a part in it.
const convolvePoolBack = (x, channels, n, w, filters, y, best, gy, gw, gb, gx) => {
  const places = y.length / filters;
  for (let f = 0, at = 0; f < filters; f++)
    for (let place = 0; place < places; place++, at++) {
      const g = gy[at];
      if (g === 0 || y[at] === 0) continue;
      gb[f] += g;
      for (let c = 0, k = 25 * f * channels; c < channels; c++)
        for (let r = 0, m = c * n * n + best[at]; r < 5; r++, m += n, k += 5) {
          gw[k] += g * x[m];
          gw[k + 1] += g * x[m + 1];
          gw[k + 2] += g * x[m + 2];
          gw[k + 3] += g * x[m + 3];
          gw[k + 4] += g * x[m + 4];
          if (!gx) continue;
          gx[m] += g * w[k];
          gx[m + 1] += g * w[k + 1];
          gx[m + 2] += g * w[k + 2];
          gx[m + 3] += g * w[k + 3];
          gx[m + 4] += g * w[k + 4];
        }
    }
};

// Five sums at a time: y has 50 or 10 numbers.
const multiply = (x, w, b, y) => {
  const n = x.length;
  for (let k = 0, at = 0; k < y.length; k += 5, at += 4 * n) {
    let s0 = b[k], s1 = b[k + 1], s2 = b[k + 2], s3 = b[k + 3], s4 = b[k + 4];
    for (let i = 0; i < n; i++, at++) {
      const v = x[i];
      s0 += v * w[at]; s1 += v * w[at + n]; s2 += v * w[at + 2 * n]; s3 += v * w[at + 3 * n]; s4 += v * w[at + 4 * n];
    }
    y[k] = s0; y[k + 1] = s1; y[k + 2] = s2; y[k + 3] = s3; y[k + 4] = s4;
  }
};

const multiplyBack = (x, w, gy, gw, gb, gx) => {
  gx.fill(0);
  for (let k = 0; k < gy.length; k++) {
    const g = gy[k];
    if (g === 0) continue;
    gb[k] += g;
    for (let i = 0, at = k * x.length; i < x.length; i++, at++) {
      gw[at] += g * x[i];
      gx[i] += g * w[at];
    }
  }
};

// One image after the other goes through these arrays, which are made once.
const makeLearner = () => {
  const arrays = (...lengths) => lengths.map((n) => new Float64Array(n));
  const [y1, y2, y3, scores] = arrays(1440, 320, 50, 10), [g1, g2, g3, g4] = arrays(1440, 320, 50, 10);
  const best1 = new Int32Array(1440), best2 = new Int32Array(320);

  // Cross-entropy of one image (784 normalised pixels); the class with the largest score is `read`.
  const learner = { read: 0, scores };
  learner.loss = (weights, x, label) => {
    const [w1, b1, w2, b2, w3, b3, w4, b4] = weights;
    convolvePool(x, 1, 28, w1, b1, 10, y1, best1);
    convolvePool(y1, 10, 12, w2, b2, 20, y2, best2);
    multiply(y2, w3, b3, y3);
    for (let k = 0; k < 50; k++) if (y3[k] < 0) y3[k] = 0;
    multiply(y3, w4, b4, scores);
    const top = Math.max(...scores);
    learner.read = scores.indexOf(top);
    let sum = 0;
    for (let k = 0; k < 10; k++) sum += g4[k] = Math.exp(scores[k] - top);
    for (let k = 0; k < 10; k++) g4[k] /= sum;
    return Math.log(sum) + top - scores[label];
  };
  // Adds the gradient of the image whose loss was asked for last, times `share`, to `gradients`.
  learner.back = (weights, x, label, share, gradients) => {
    const [, , w2, , w3, , w4] = weights, [gw1, gb1, gw2, gb2, gw3, gb3, gw4, gb4] = gradients;
    g4[label] -= 1;
    for (let k = 0; k < 10; k++) g4[k] *= share;
    multiplyBack(y3, w4, g4, gw4, gb4, g3);
    for (let k = 0; k < 50; k++) if (y3[k] === 0) g3[k] = 0;
    multiplyBack(y2, w3, g3, gw3, gb3, g2);
    g1.fill(0);
    convolvePoolBack(y1, 10, 12, w2, 20, y2, best2, g2, gw2, gb2, g1);
    convolvePoolBack(x, 1, 28, null, 10, y1, best1, g1, gw1, gb1, null);
  };
  return learner;
};

// w ← w − rate · v with v ← momentum · v + gradient, as torch.optim.SGD does; clears the gradients.
const takeStep = (weights, speeds, gradients, rate, momentum) =>
  weights.forEach((w, n) => {
    const v = speeds[n], g = gradients[n];
    for (let k = 0; k < w.length; k++) {
      v[k] = momentum * v[k] + g[k];
      g[k] = 0;
      w[k] -= rate * v[k];
    }
  });

// The image moved down by `down` and to the right by `right` pixels; what comes in is background.
const move = (x, down, right, to) => {
  to.fill(-MEAN / STD);
  const first = Math.max(0, right), last = Math.min(SIDE, SIDE + right);
  for (let r = Math.max(0, down); r < Math.min(SIDE, SIDE + down); r++)
    for (let q = first; q < last; q++) to[r * SIDE + q] = x[(r - down) * SIDE + q - right];
};
