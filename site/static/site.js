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
