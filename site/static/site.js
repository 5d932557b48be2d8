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

// The theme opens its menus by labels of hidden boxes: made into buttons for the keyboard.
for (const label of document.querySelectorAll("label[for]:not(.overlay)")) {
  const box = document.getElementById(label.htmlFor);
  if (box?.type !== "checkbox") continue;
  const tell = () => label.setAttribute("aria-expanded", box.checked);
  label.tabIndex = 0;
  label.setAttribute("role", "button");
  if (!label.innerText.trim() && !label.textContent.trim()) label.setAttribute("aria-label", "More");
  label.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    label.click();
  });
  box.addEventListener("change", tell);
  tell();
}
