// Parts of a page, and the panel that shows the arithmetic behind a unit.

const frameOn = (map, layer, r, q, side) =>
  place(addTo(map, "div", { class: "frame", "aria-hidden": "true" }), r, q, layer.rows, layer.columns, side);

const gray = (context, pixels) => {
  const image = context.createImageData(SIDE, SIDE);
  pixels.forEach((v, n) => image.data.set([255 * v, 255 * v, 255 * v, 255], 4 * n));
  context.putImageData(image, 0, 0);
};

// Fills the panel: where the unit is, the part [r, q, side] of the picture that it sees, and what
// `explain` says of it. `choose` is called with another channel.
const describe = (panel, { layer, map, i, j }, [r, q, side], made, picture, choose) => {
  const add = (tag, attributes, text, to) => addTo(to, tag, attributes, text);
  panel.textContent = "";
  add("p", { class: "name" }, `${titlesOf(layer)[0]}, ${unitName(layer, map, i, j)}: ${fixed(made.value)}`, panel);
  const sees = add("div", { class: "field" }, "", panel);
  const small = add("div", { class: "map" }, "", sees);
  gray(canvas(SIDE, SIDE, small).getContext("2d"), picture);
  frameOn(small, LAYERS[0], r, q, side);
  const words = add("div", { class: "words" }, "", sees);
  add("p", {}, side === SIDE ? tr`It sees the whole picture.` : side === 1 ? tr`It is one pixel of the picture.`
    : tr`It sees rows ${r} to ${r + side - 1} and columns ${q} to ${q + side - 1} of the picture: ${side}×${side}.`,
  words);
  made.lines.forEach((text) => add("p", { class: "sum" }, text, words));
  if (made.channels > 1) {
    const label = add("label", {}, tr`Show the products of channel` + " ", panel);
    const select = add("select", {}, "", label);
    for (let c = 0; c < made.channels; c++) add("option", { value: c }, c, select);
    select.value = made.shown;
    select.onchange = () => choose(+select.value);
    add("p", { class: "before" }, made.before, panel);
  }
  const tables = add("div", { class: "tables" }, "", panel);
  made.tables.forEach(({ caption, head, rows, best }) => {
    const hold = add("div", { class: "scroll" }, "", tables);
    const t = add("table", {}, "", hold);
    t.createCaption().textContent = caption;
    if (head) {
      const line = t.createTHead().insertRow();
      head.forEach((text) => add("th", { scope: "col" }, text, line));
    }
    const body = t.createTBody();
    rows.forEach((cells, n) => {
      const line = body.insertRow();
      cells.forEach((text, k) => {
        const first = head && !k;
        const td = add(first ? "th" : "td", first ? { scope: "row" } : {}, text, line);
        if (best === n * cells.length + k) { td.className = "best"; td.append(" ▲"); }
      });
    });
  });
};
