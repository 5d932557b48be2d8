// A question with a box for the guess, and the record of all guesses. What a reader has guessed
// stays in this browser, under one key: the name of the question → [the first guess, was it right].

const KEY = "cnn-course-predictions";
const readAll = () => {
  try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; }
};
const writeAll = (all) => {
  try { localStorage.setItem(KEY, JSON.stringify(all)); } catch { /* a browser that keeps nothing */ }
};

const toShape = (text) => {
  const t = text.replace(/[−–]/g, "-");
  return /^[\s\d,;x×()[\]-]*\d[\s\d,;x×()[\]-]*$/i.test(t) ? t.match(/-?\d+/g).map(Number) : null;
};

const quoted = (v) => (typeof v === "string" ? `“${v}”` : asText(v));
const asText = (v) => Array.isArray(v) ? `(${v.map(asText).join(", ")}${v.length === 1 ? "," : ""})`
  : typeof v === "number" ? v.toLocaleString("en", { maximumSignificantDigits: 12 }).replace("-", "−") : v;

// Text with code between backticks.
const write = (to, text) =>
  text.split("`").forEach((part, n) => (n % 2 ? addTo(to, "code", {}, part) : to.append(part)));

const open = (host, role, name) => {
  const root = host.attachShadow({ mode: "open" });
  addTo(root, "style", {}, CSS);
  // JupyterLab's keyboard shortcuts would take the keys away.
  host.setAttribute("data-lm-suppress-shortcuts", "true");
  const box = addTo(root, "div", { class: "box", role, "aria-label": name });
  followTheme(host, box);
  return box;
};

const ask = (host, D) => {
  const question = D.q.replaceAll("`", "");
  const box = open(host, "group", question);
  const isShape = Array.isArray(D.a), same = (a, b) => String(a) === String(b);
  const isRight = (v) => same(v, D.a) ||
    (typeof D.a === "number" && Math.abs(v - D.a) <= D.r * Math.abs(D.a) + 1e-9 * Math.abs(D.a));
  const title = addTo(box, "p", { class: "question" });
  addTo(title, "b", {}, tr`Predict, then run.` + " ");
  write(title, D.q);
  const line = addTo(box, D.c ? "div" : "form", { class: "line", ...(D.c && { role: "group", "aria-label": question }) });
  const verdict = addTo(box, "p", { class: "verdict", role: "status" });
  const tell = (kind, strong, text) => {
    verdict.className = "verdict " + kind;
    verdict.textContent = "";
    addTo(verdict, "b", {}, strong + " ");
    write(verdict, text);
  };
  const reveal = () => tell("told", tr`The answer: ${asText(D.a)}.`, D.b);
  const judge = (v) => {
    const right = isRight(v), all = readAll();
    if (!(D.n in all)) writeAll({ ...all, [D.n]: [quoted(v), +right] });
    if (right) return tell("right", "✓ " + tr`Right: ${asText(D.a)}.`, D.b);
    const known = D.w.find(([guess]) => same(guess, v));
    const more = known ? known[1]
      : isShape && v.length !== D.a.length
        ? v.length > 1 ? tr`That is ${v.length} numbers; the answer has ${D.a.length}.`
          : tr`That is 1 number; the answer has ${D.a.length}.` : "";
    tell("wrong", "✗ " + tr`Not ${quoted(v)}.`, more + (more ? " " : "") + tr`Guess again, or show the answer.`);
  };

  let clear;
  if (D.c) {
    const buttons = D.c.map((choice) => {
      const b = addTo(line, "button", { type: "button", "aria-pressed": "false" });
      write(b, choice);
      b.onclick = () => {
        buttons.forEach((one) => one.setAttribute("aria-pressed", one === b));
        judge(choice);
      };
      return b;
    });
    clear = () => buttons.forEach((one) => one.setAttribute("aria-pressed", "false"));
  } else {
    const label = addTo(line, "label", {}, (isShape ? tr`Numbers` : tr`Number`) + " ");
    const input = addTo(label, "input", {
      type: "text", autocomplete: "off", inputmode: isShape ? "text" : "decimal", "aria-label": question,
      placeholder: isShape ? tr`such as 1, 28, 28` : "",
    });
    addTo(line, "button", { type: "submit" }, tr`Check`);
    line.onsubmit = (e) => {
      e.preventDefault();
      const v = (isShape ? toShape : readNumber)(input.value);
      input.toggleAttribute("aria-invalid", v === null);
      if (v === null)
        return tell("wrong", "", isShape ? tr`Type whole numbers with commas between them, such as 1, 28, 28.`
          : tr`Type a number, such as 12, 0.5 or 3/4.`);
      judge(v);
    };
    input.onkeydown = (e) => {
      if (e.key !== "Enter") return;
      e.preventDefault();  // in JupyterLab no form is sent by this key, so it is done here
      line.requestSubmit();
    };
    clear = () => { input.value = ""; input.removeAttribute("aria-invalid"); };
  }
  addTo(line, "button", { type: "button", class: "quiet" }, tr`Show the answer`).onclick = reveal;
  addTo(box, "p", { class: "note" }, host.closest(".cell_output")  // a page of the site, where nothing runs
    ? tr`Then look at the result: open “Show code cell output” below.`
    : tr`Then run the next cell, or unfold its saved result: in Jupyter, click on the three dots below it.`);

  const before = readAll()[D.n];
  if (before) {
    tell("told", tr`Your first guess was ${before[0]}.`, (before[1] ? tr`It was right.` : tr`It was not right.`) + " ");
    addTo(verdict, "button", { type: "button", class: "quiet" }, tr`Forget it`).onclick = () => {
      const { [D.n]: gone, ...rest } = readAll();
      writeAll(rest);
      clear();
      tell("", "", "");
    };
  }
};

const record = (host, D) => {
  const box = open(host, "region", tr`Your predictions`);
  const draw = () => {
    box.textContent = "";
    const all = readAll(), names = D.l.flatMap((lesson) => lesson[2]);
    const made = names.filter((n) => all[n]), right = made.filter((n) => all[n][1]);
    addTo(box, "p", { class: "question", role: "status" }, made.length
      ? tr`You have predicted ${made.length} of ${names.length} results, ${right.length} of them rightly at the first guess.`
      : tr`The lessons have ${names.length} places where you predict a result before you see it.` + " " + tr`What you guess is counted here.`);
    if (made.length) {
      const list = addTo(box, "ul");
      for (const [title, address, own] of D.l) {
        const count = own.filter((n) => all[n]).length;
        if (!count) continue;
        const item = addTo(list, "li");
        addTo(item, "a", { href: address }, title);
        item.append(": " + tr`${count} of ${own.length}`);
      }
      addTo(box, "button", { type: "button" }, tr`Forget my predictions`).onclick = () => { writeAll({}); draw(); };
    }
    addTo(box, "p", { class: "note" }, tr`Kept in this browser only; nothing is sent.`);
  };
  draw();
  addEventListener("storage", draw);  // guessed in another tab
  addEventListener("pageshow", draw);  // or on a page that one comes back from
};

begin("cnn-prediction", ask);
begin("cnn-prediction-record", record);
