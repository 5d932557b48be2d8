// The drawing pad: what is drawn, by mouse, finger or keyboard, and what was there before.

// Puts an element over a part of the grid that its parent shows.
const place = (e, r, q, rows, columns, side = 1) => Object.assign(e.style, {
  top: `${100 * r / rows}%`, left: `${100 * q / columns}%`,
  height: `${100 * side / rows}%`, width: `${100 * side / columns}%` });

// `changed` is called when there is another drawing, `said` tells what the network made of it.
const makePad = (to, { changed, announce, said }) => {
  const pad = addTo(to, "div", { class: "pad", role: "application", tabindex: 0,
    "aria-label": tr`Drawing pad, 28 by 28. Arrow keys move the pen, Home, End, Page Up and Page Down
      move it diagonally, Space puts it down and lifts it, Delete clears.` });
  const paper = canvas(560, 560, pad).getContext("2d");
  addTo(pad, "span", { class: "hint", "aria-hidden": "true" }, tr`Draw a digit`);
  const pen = addTo(pad, "i", { class: "pen", "aria-hidden": "true" });

  // The drawing: an image, and strokes over it.
  const ink = new Float32Array(GRID * GRID);
  let state = { image: null, strokes: [] }, past = [], stroke = null, frame = 0;

  const line = (from, to) => {
    paper.beginPath();
    paper.moveTo(20 * from[0], 20 * from[1]);
    paper.lineTo(20 * to[0], 20 * to[1]);
    paper.stroke();
  };
  const redraw = () => {
    ink.fill(0);
    paper.fillStyle = "#000";
    paper.fillRect(0, 0, 560, 560);
    Object.assign(paper, { strokeStyle: "#fff", lineWidth: 40 * PEN, lineCap: "round" });
    if (state.image)
      for (let r = 0; r < GRID; r++)
        for (let q = 0; q < GRID; q++)
          ink[r * GRID + q] = state.image[Math.floor(r / FINE) * SIDE + Math.floor(q / FINE)];
    state.image?.forEach((v, n) => {
      paper.fillStyle = `rgb(255 255 255 / ${v})`;
      paper.fillRect(20 * (n % SIDE), 20 * Math.floor(n / SIDE), 20, 20);
    });
    for (const s of state.strokes) {
      markStroke(ink, s);
      s.forEach((p, n) => line(s[Math.max(0, n - 1)], p));
    }
    refresh();
  };
  const change = (next) => {
    past.push(state);
    state = next;
    redraw();
  };
  const begin = (p) => {
    past.push(state);
    stroke = [p];
    state = { ...state, strokes: [...state.strokes, stroke] };
    mark(ink, p, p);
    line(p, p);
    refreshSoon();
  };
  const extend = (p) => {
    const last = stroke[stroke.length - 1];
    if (p[0] === last[0] && p[1] === last[1]) return;
    stroke.push(p);
    mark(ink, last, p);
    line(last, p);
    refreshSoon();
  };
  const end = () => {
    if (!stroke) return;
    stroke = null;
    pad.classList.remove("down");
    refresh();
    announce(said());
  };
  const clear = () => {
    stop();
    if (state.image || state.strokes.length) change({ image: null, strokes: [] });
    announce(tr`Cleared. Draw a digit.`);
  };
  const undo = () => {
    stop();
    if (!past.length) return announce(tr`There is nothing to undo.`);
    state = past.pop();
    redraw();
    announce(tr`Undone.` + " " + said());
  };
  const stop = () => { stroke = null; pad.classList.remove("down"); };

  // While the pen moves, one answer for each picture on the screen is enough.
  const refresh = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    changed();
  };
  const refreshSoon = () => (frame ||= requestAnimationFrame(refresh));

  // ---- pointer: mouse, finger, pen ----
  let pointer = null;
  const where = (e) => {
    const r = pad.getBoundingClientRect();
    const at = (v, from, size) => Math.max(0, Math.min(SIDE, (v - from) / size * SIDE));
    return [at(e.clientX, r.left + 1, r.width - 2), at(e.clientY, r.top + 1, r.height - 2)];
  };
  pad.onpointerdown = (e) => {
    if (e.button || pointer !== null) return;
    e.preventDefault();
    pointer = e.pointerId;
    pad.setPointerCapture(pointer);
    pad.focus({ preventScroll: true });
    pad.classList.remove("keys");
    stop();
    begin(where(e));
  };
  pad.onpointermove = (e) => {
    if (e.pointerId !== pointer || !stroke) return;
    const all = e.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [e]) extend(where(one));
  };
  pad.onpointerup = pad.onpointercancel = (e) => {
    if (e.pointerId !== pointer) return;
    pointer = null;
    end();
  };

  // ---- keyboard: a pen that moves from square to square ----
  let [row, column] = [7, 10];
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    Home: [-1, -1], PageUp: [-1, 1], End: [1, -1], PageDown: [1, 1] };
  const penAt = () => {
    place(pen, row + 0.5 - PEN, column + 0.5 - PEN, SIDE, SIDE, 2 * PEN);
    pad.classList.toggle("down", !!stroke);
  };
  pad.onkeydown = (e) => {
    const move = MOVES[e.key];
    const again = (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "z";
    if (pointer !== null || !(move || again || [" ", "Enter", "Delete"].includes(e.key))) return;
    if (!again && (e.ctrlKey || e.metaKey || e.altKey)) return;
    e.preventDefault();
    e.stopPropagation();
    pad.classList.add("keys");
    if (again) undo();
    else if (e.key === "Delete") clear();
    else if (move) {
      row = Math.max(0, Math.min(SIDE - 1, row + move[0]));
      column = Math.max(0, Math.min(SIDE - 1, column + move[1]));
      if (stroke) extend([column + 0.5, row + 0.5]);
      announce(stroke ? tr`Row ${row}, column ${column}, pen down.` : tr`Row ${row}, column ${column}, pen up.`);
    } else if (e.repeat) return;
    else if (stroke) {
      end();
      announce(tr`Pen up.` + " " + said());
    } else {
      begin([column + 0.5, row + 0.5]);
      announce(tr`Pen down at row ${row}, column ${column}.`);
    }
    penAt();
  };
  pad.onfocus = penAt;
  pad.onblur = () => { if (pointer === null) end(); };

  // The 28×28 pixels that the network is to see, or null. An image that comes from MNIST is centred.
  const pixels = () => (state.image && !state.strokes.length ? state.image : centre(ink));
  const show = (image, strokes) => { stop(); change({ image, strokes }); };
  return { pixels, show, redraw, undo, clear };
};
