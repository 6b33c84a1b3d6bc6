// What a person would see of the page, written down where `--dump-dom` shows it.
const box = (element) => element.getBoundingClientRect();
const overlap = (a, b) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const visible = () =>
  [...document.querySelectorAll(".row")].filter((row) => box(row).height > 0).map((row) => row.id);

const faces = [...document.querySelectorAll(".graph")].map((graph) =>
  [...graph.querySelectorAll(".face")].map(box));
const seen = {
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  rows: visible(),
  overlaps: faces.flatMap((all) =>
    all.filter((one, index) => all.slice(index + 1).some((other) => overlap(one, other)))).length,
  spilling: [...document.querySelectorAll(".box")].filter((one) => {
    const face = box(one.querySelector(".face"));
    return [...one.querySelectorAll("text")].some((text) => box(text).right > face.right);
  }).map((one) => one.textContent),
  barsOutside: [...document.querySelectorAll("td.time")].filter((cell) =>
    [...cell.querySelectorAll("rect")].some((bar) =>
      box(bar).left < box(cell).left || box(bar).right > box(cell).right ||
      box(bar).top < box(cell).top || box(bar).bottom > box(cell).bottom)).length,
  thinBars: [...document.querySelectorAll("td.time rect")].filter((bar) => box(bar).width < 0.5).length,
  chosen: {},
};
for (const choice of document.querySelectorAll("input[name=show]")) {
  choice.checked = true;
  seen.chosen[choice.id] = visible();
}
const said = document.createElement("pre");
said.id = "seen";
said.textContent = JSON.stringify(seen);
document.body.append(said);
