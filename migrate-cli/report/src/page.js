"use strict";
const find = document.getElementById("find");
const choices = [...document.querySelectorAll(".filters select")];
const boxes = [...document.querySelectorAll("input[name=verdict]")];
const entries = [...document.querySelectorAll("article, .exchange")];
const exchanges = entries.filter((entry) => entry.matches(".exchange"));
function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (element) => { const text = element.textContent.toLowerCase(); return words.every((word) => text.includes(word)); };
  const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  let shown = 0;
  for (const entry of entries) {
    const chosen = choices.every(({ id, value }) => !value || (entry.dataset[id] ?? "").split(" ").includes(value));
    let fits = chosen && has(entry);
    if (entry.matches(".exchange")) {
      const named = has(entry.querySelector("summary"));
      fits = false;
      for (const row of entry.querySelectorAll("tbody tr")) {
        row.hidden = !(chosen && verdicts.has(row.dataset.verdict) && (named || has(row)));
        fits ||= !row.hidden;
      }
    }
    entry.hidden = !fits;
    shown += fits;
  }
  document.getElementById("count").textContent = `${shown} of ${entries.length}`;
}
if (find) {
  find.form.addEventListener("input", filter);
  find.form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target !== find) { event.preventDefault(); find.focus(); }
  });
  filter();
}
// On paper nothing can be unfolded: what is folded is printed, and folded again afterwards.
let folded = [];
addEventListener("beforeprint", () => {
  folded = exchanges.filter((exchange) => !exchange.open);
  for (const exchange of folded) exchange.open = true;
});
addEventListener("afterprint", () => {
  for (const exchange of folded) exchange.open = false;
});
