// Numbers as colours: orange for positive ones, purple for negative ones, stronger for larger ones.

const colours = (box) => box.classList.contains("dark")
  ? [[20, 24, 29], [255, 166, 77], [178, 154, 240]] : [[255, 255, 255], [190, 75, 0], [84, 39, 136]];

const largestOf = (x) => x.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-9);

// Paints rows × columns numbers of x, from a place on; `largest`, and more, gets the strongest
// colour.
const paintNumbers = (context, x, from, rows, columns, largest, [zero, plus, minus]) => {
  const { data } = context.picture ??= context.createImageData(columns, rows);
  for (let k = 0; k < rows * columns; k++) {
    const v = x[from + k] / largest, to = v > 0 ? plus : minus, a = Math.min(1, Math.abs(v));
    for (let c = 0; c < 3; c++) data[4 * k + c] = zero[c] + a * (to[c] - zero[c]);
    data[4 * k + 3] = 255;
  }
  context.putImageData(context.picture, 0, 0);
};
