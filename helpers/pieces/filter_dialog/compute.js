// A filter on a picture: the arithmetic, without anything of the page.

// How far past the picture a filter reaches, and what it finds there.
const BORDERS = {
  zero: [tr`0 (black)`, "constant", tr`Outside the picture counts as 0, which is what a convolution layer does.`],
  nearest: [tr`the nearest pixel`, "replicate", tr`Outside counts as the nearest pixel of the picture.`],
  mirror: [tr`mirrored`, "reflect", tr`Outside is a mirror image of the picture; the border pixel is not repeated.`],
  wrap: [tr`the other side`, "circular", tr`Outside counts as the opposite side, as if pictures lay like tiles.`],
  none: [tr`nothing: leave it out`, "", tr`Only windows that lie in the picture count, so the result is smaller.`],
};

// Where in 0 … n − 1 a place before, in or after it looks; −1 for a place that counts as 0.
const source = (i, n, border) => {
  if (i >= 0 && i < n) return i;
  if (border === "zero") return -1;
  if (border === "nearest") return i < 0 ? 0 : n - 1;
  if (border === "wrap") return ((i % n) + n) % n;
  const period = Math.max(2 * n - 2, 1), at = ((i % period) + period) % period;
  return at < n ? at : period - at;
};

// {width, height, planes}: planes are arrays of numbers from 0 to 255, one or three.
// Gives the same with planes of sums / divisor + offset, not rounded and not cut off.
const filter = (image, { numbers, size, divisor, offset, border }) => {
  const r = (size - 1) / 2, { width, height } = image, none = border === "none";
  const wide = width + 2 * r;
  const rows = Array.from({ length: height + 2 * r }, (_, i) => source(i - r, height, border));
  const columns = Array.from({ length: wide }, (_, j) => source(j - r, width, border));
  const w = none ? width - 2 * r : width, h = none ? height - 2 * r : height, shift = none ? r : 0;
  const padded = new Float64Array(rows.length * wide);
  const planes = image.planes.map((plane) => {
    rows.forEach((row, i) => {
      if (row < 0) return padded.fill(0, i * wide, (i + 1) * wide);
      for (let j = 0; j < wide; j++) {
        const column = columns[j];
        padded[i * wide + j] = column < 0 ? 0 : plane[row * width + column];
      }
    });
    const out = new Float64Array(w * h);
    for (let a = 0; a < size; a++)
      for (let b = 0; b < size; b++) {
        const weight = numbers[a * size + b];
        if (!weight) continue;
        for (let i = 0; i < h; i++) {
          let from = (i + a + shift) * wide + b + shift;
          for (let to = i * w, end = to + w; to < end; to++) out[to] += weight * padded[from++];
        }
      }
    if (divisor !== 1 || offset) for (let k = 0; k < out.length; k++) out[k] = out[k] / divisor + offset;
    return out;
  });
  return { width: w, height: h, planes };
};

// What a screen can show of a value: 0 to 255.
const SHOWN = {
  cut: [tr`cut off below 0 and above 255`, (v) => v],
  size: [tr`without the minus sign`, (v) => Math.abs(v)],
  middle: [tr`halved, with 0 as middle grey`, (v) => 128 + v / 2],
};

const paintOn = (context, { width, height, planes }, turn) => {
  const image = context.createImageData(width, height), to = image.data;
  const [red, green, blue] = planes.length > 1 ? planes : [planes[0], planes[0], planes[0]];
  for (let k = 0, n = 0; k < width * height; k++) {
    to[n++] = turn(red[k]);
    to[n++] = turn(green[k]);
    to[n++] = turn(blue[k]);
    to[n++] = 255;
  }
  context.putImageData(image, 0, 0);
};

// The brightness of a colour picture, as television weighs it (ITU-R BT.601), rounded.
const toGrey = ({ width, height, planes: [r, g, b] }) => ({ width, height,
  planes: [r.map((v, k) => Math.round(0.299 * v + 0.587 * g[k] + 0.114 * b[k]))] });
