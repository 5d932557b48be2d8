// What every piece needs of a page. It stands before a piece's own scripts. Never write a closing
// HTML comment in these files: all of it stands inside one, so that a sanitizer drops it.

const element = (tag, attributes = {}, text = "") => {
  const e = document.createElement(tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  e.textContent = text;
  return e;
};
const addTo = (to, ...what) => {
  const e = element(...what);
  to.append(e);
  return e;
};
const canvas = (width, height, to) => addTo(to, "canvas", { width, height, "aria-hidden": "true" });

// A number as people write it: at most three digits after the point, and a real minus.
const plain = (v) => String(Math.round(v * 1000) / 1000).replace("-", "−");

// A number as people type it: "1,000", "0,5", "−2", "3/4", "95 %"; null for anything else.
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const readNumber = (text) => {
  let t = text.trim().replace(/[−–]/g, "-").replace(/\s*%$/, "");
  t = /^-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(t) ? t.replaceAll(",", "") : t.replaceAll(",", ".");
  const parts = t.split("/").map((part) => part.trim());
  if (parts.length > 2 || !parts.every((part) => NUMBER.test(part))) return null;
  const v = parts[0] / (parts[1] ?? 1);
  return Number.isFinite(v) ? v : null;
};

// Says a text to screen readers, once nothing new has come for a moment.
const announcer = (live) => {
  let later;
  return (text) => {
    clearTimeout(later);
    later = setTimeout(() => (live.textContent = text), 250);
  };
};

// JupyterLab and Sphinx themes say on an ancestor what they are; else the system is asked.
const followTheme = (host, box, changed = () => 0) => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => {
    const data = host.closest("[data-jp-theme-light],[data-theme]")?.dataset ?? {};
    const told = data.jpThemeLight ?? data.theme;
    const dark = told === "false" || told === "dark" || (told !== "true" && told !== "light" && system.matches);
    box.classList.toggle("dark", dark);
    changed();
  };
  system.addEventListener("change", theme);
  const watch = new MutationObserver(theme);
  for (const e of [document.documentElement, document.body])
    watch.observe(e, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme"] });
  theme();
};

// Calls start(host, data) for each element of a class that is still a plain picture.
const begin = (name, start) => {
  for (const host of document.querySelectorAll("." + name)) {
    const data = [...host.childNodes].find((n) => n.nodeType === 8);
    if (data && !host.shadowRoot) start(host, JSON.parse(data.data));
  }
};
