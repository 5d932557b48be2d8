// A chart whose lines grow while a network learns.

const drawn = (to, tag, attributes, text = "") => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  e.textContent = text;
  to.append(e);
  return e;
};

// `ticks` are marks of the y axis from bottom to top, [value, text]; `lines` the classes of the
// lines. Gives a function that shows them: lists of [epoch, value or null], how many epochs fit in,
// and what is read out.
const makeChart = (to, ticks, lines) => {
  const LEFT = 38, TOP = 8, WIDE = 270, HIGH = 130;
  const svg = drawn(to, "svg", { viewBox: "0 0 320 162", role: "img" });
  const most = ticks[ticks.length - 1][0];
  // What is too large runs along the upper edge.
  const y = (v) => TOP + HIGH * (1 - Math.min(v, most) / most);
  for (const [v, text] of ticks) {
    drawn(svg, "line", { x1: LEFT, x2: LEFT + WIDE, y1: y(v), y2: y(v) });
    drawn(svg, "text", { x: LEFT - 5, y: y(v) + 4, "text-anchor": "end" }, text);
  }
  const marks = [0, 0.5, 1].map((share) => drawn(svg, "text", { x: LEFT + share * WIDE, y: TOP + HIGH + 18,
    "text-anchor": share ? "middle" : "start" }));
  const paths = lines.map((name) => drawn(svg, "polyline", { class: name }));
  return (lists, epochs, words) => {
    marks.forEach((mark, n) => (mark.textContent = n ? (n * epochs) / 2 : tr`0 epochs`));
    paths.forEach((path, n) => path.setAttribute("points", lists[n].filter(([, v]) => v !== null)
      .map(([x, v]) => `${(LEFT + (WIDE * x) / epochs).toFixed(1)},${y(v).toFixed(1)}`).join(" ")));
    svg.setAttribute("aria-label", words);
  };
};
