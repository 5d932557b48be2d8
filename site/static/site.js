// What scrolls sideways must be reachable by keyboard; what does not should not be a stop.
const boxes = document.querySelectorAll("article pre, .table-wrapper, .formula, .output");
const fit = () => {
  for (const box of boxes) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("resize", fit);
addEventListener("load", fit);
for (const part of document.querySelectorAll("details")) part.addEventListener("toggle", fit);
fit();

// The theme opens its two menus by labels of hidden boxes, which no key works: buttons instead.
for (const label of document.querySelectorAll(".nav-overlay-icon, .toc-overlay-icon")) {
  const box = document.getElementById(label.htmlFor);
  const button = document.createElement("button");
  button.type = "button";
  button.className = `${label.className} menu-button`;
  const drawer = document.querySelector(box.id === "__toc" ? ".toc-drawer" : ".sidebar-drawer");
  button.setAttribute("aria-label", drawer.getAttribute("aria-label"));
  button.append(...label.childNodes);
  const tell = () => button.setAttribute("aria-expanded", box.checked);
  button.addEventListener("click", () => box.click());
  box.addEventListener("change", tell);
  tell();
  label.replaceWith(button);
}

// In another language, a section has the same address.
for (const link of document.querySelectorAll(".language-link[rel]"))
  link.addEventListener("click", () => (link.hash = location.hash));

// On paper nothing can be unfolded: all of it is open there, and as it was afterwards.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("article details:not([open])")];
  for (const part of folded) part.open = true;
});
addEventListener("afterprint", () => {
  for (const part of folded) part.open = false;
});
