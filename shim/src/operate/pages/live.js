// Loads the list again every 3 s while the page is seen, and while somebody types.
const form = document.querySelector("form.search");
const live = document.getElementById("live");
const load = async () => {
  if (document.hidden || live.contains(document.activeElement)) return;
  const query = new URLSearchParams(new FormData(form));
  const answer = await fetch(`/ui/exchanges/list?${query}`).catch(() => null);
  if (answer?.ok) live.innerHTML = await answer.text();
};
form.addEventListener("input", load);
setInterval(load, 3000);
