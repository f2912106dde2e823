"use strict";
const find = document.getElementById("find");
const operation = document.getElementById("operation");
const boxes = [...document.querySelectorAll("input[name=verdict]")];
const exchanges = [...document.querySelectorAll(".exchange")];
const count = document.getElementById("count");
function filter() {
  const text = find.value.trim().toLowerCase();
  const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  let shown = 0;
  for (const exchange of exchanges) {
    const asked = !operation.value || exchange.dataset.operation === operation.value;
    const named = exchange.querySelector("summary").textContent.toLowerCase().includes(text);
    let rows = 0;
    for (const row of exchange.querySelectorAll("tbody tr")) {
      const fits = asked && verdicts.has(row.dataset.verdict) && (named || row.textContent.toLowerCase().includes(text));
      row.hidden = !fits;
      rows += fits;
    }
    exchange.hidden = rows === 0;
    shown += rows > 0;
  }
  count.textContent = `${shown} of ${exchanges.length} exchanges`;
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
