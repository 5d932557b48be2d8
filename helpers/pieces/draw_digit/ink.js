// From strokes to the 28×28 pixels that the network knows, the way MNIST was made (LeCun, Bottou,
// Bengio and Haffner 1998): scaled to fit 20×20, then moved until the centre of mass is in the
// middle. Strokes are lists of points [x, y] in units of the pad's 28×28 squares.

const FINE = 4, GRID = SIDE * FINE, PEN = 1.2, BOX = 20, TIE = 1e-4;

// How much of each fine pixel is inked: 1 within the pen's radius, falling to 0 over one fine pixel.
// Marks one straight piece of a stroke; darker ink stays.
const mark = (ink, [ax, ay], [bx, by]) => {
  const reach = PEN + 1 / FINE;
  const clip = (v) => Math.max(0, Math.min(GRID, v));
  const x0 = clip(Math.floor((Math.min(ax, bx) - reach) * FINE));
  const x1 = clip(Math.ceil((Math.max(ax, bx) + reach) * FINE));
  const y0 = clip(Math.floor((Math.min(ay, by) - reach) * FINE));
  const y1 = clip(Math.ceil((Math.max(ay, by) + reach) * FINE));
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  for (let r = y0; r < y1; r++)
    for (let q = x0; q < x1; q++) {
      const x = (q + 0.5) / FINE - ax, y = (r + 0.5) / FINE - ay;
      const t = length ? Math.max(0, Math.min(1, (x * dx + y * dy) / length)) : 0;
      const v = (PEN - Math.hypot(x - t * dx, y - t * dy)) * FINE + 0.5;
      if (v > ink[r * GRID + q]) ink[r * GRID + q] = Math.min(1, v);
    }
};

const markStroke = (ink, stroke) =>
  stroke.forEach((p, n) => (n || stroke.length === 1) && mark(ink, stroke[Math.max(0, n - 1)], p));

// The mean over each of `to` equal parts of a line: for each part, what weight each place has.
const parts = (from, to) => Array.from({ length: to }, (_, k) => {
  const [a, b] = [k * from / to, (k + 1) * from / to], list = [];
  for (let i = Math.floor(a); i < Math.min(from, Math.ceil(b)); i++)
    list.push([i, (Math.min(b, i + 1) - Math.max(a, i)) / (b - a)]);
  return list;
});

// 28×28 pixels from 0 to 1, or null where nothing is drawn.
const centre = (ink) => {
  let top = GRID, bottom = -1, left = GRID, right = -1;
  for (let r = 0; r < GRID; r++)
    for (let q = 0; q < GRID; q++)
      if (ink[r * GRID + q] > 0) {
        top = Math.min(top, r); bottom = Math.max(bottom, r);
        left = Math.min(left, q); right = Math.max(right, q);
      }
  if (bottom < 0) return null;
  const [h, w] = [bottom - top + 1, right - left + 1];
  const scale = BOX / Math.max(h, w);
  const [rows, columns] = [h, w].map((n) => Math.max(1, Math.round(n * scale)));
  const [down, across] = [parts(h, rows), parts(w, columns)];
  const small = new Float64Array(rows * columns);
  let mass = 0, y = 0, x = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let v = 0;
      for (const [r, a] of down[i])
        for (const [q, b] of across[j]) v += a * b * ink[(top + r) * GRID + left + q];
      small[i * columns + j] = v;
      mass += v; y += v * i; x += v * j;
    }
  // In MNIST the centre of mass is at row 14, column 14, to within half a pixel. Symmetric drawings
  // lie exactly between two pixels: those go to the left and up. Nothing is cut off.
  const shift = (n, middle) =>
    Math.max(0, Math.min(SIDE - n, Math.round(SIDE / 2 - middle - TIE)));
  const [r0, q0] = [shift(rows, y / mass), shift(columns, x / mass)];
  const pixels = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) pixels[(r0 + i) * SIDE + q0 + j] = small[i * columns + j];
  return pixels;
};
