"use strict";
// The bounds as handles on the range test: dragged, or moved by the keyboard.

const STEP = 1 / 40; // decades, of an arrow key
const PAGE = 1 / 4;
const EDGE = 0.01; // of the axis: beyond its ends a handle is out of sight
const TAG = 24; // pixels above the chart, where the handle's name is

/** Return a learning rate with as many digits as one can drag: what is shown is what is meant. */
const rounded = (lr) => Number(lr.toPrecision(3));

/**
 * Put a handle for a bound on a chart of plotly.js, and return the function that places it.
 *
 * limits() gives the lowest and the highest value, and move(lr) is told where it went.
 */
function handle(parent, chart, name, side, limits, move) {
  const element = document.createElement("div");
  element.id = `handle-${name}`;
  element.className = `handle ${side}`;
  element.tabIndex = 0;
  element.setAttribute("role", "slider");
  element.setAttribute("aria-label", name);
  element.setAttribute("aria-orientation", "horizontal");
  const tag = element.appendChild(document.createElement("span"));
  parent.append(element);

  const range = () => chart.layout.xaxis.range;
  const width = () => chart.clientWidth - MARGIN.l - MARGIN.r;
  const to = (lr) => {
    const [low, high] = limits();
    move(Math.min(Math.max(rounded(lr), low), high));
  };

  let now; // the learning rate it stands at
  let grip = 0; // where it was taken hold of, in pixels from the line
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    grip = event.clientX - element.getBoundingClientRect().left - 12;
  });
  element.addEventListener("pointermove", (event) => {
    if (!element.hasPointerCapture(event.pointerId)) return;
    const [low, high] = range();
    const x = event.clientX - grip - chart.getBoundingClientRect().left - MARGIN.l;
    to(10 ** (low + (x / width()) * (high - low)));
  });
  element.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: STEP, ArrowUp: STEP, ArrowLeft: -STEP, ArrowDown: -STEP, PageUp: PAGE, PageDown: -PAGE };
    if (event.key in steps) to(now * 10 ** steps[event.key]);
    else if (event.key === "Home") to(limits()[0]);
    else if (event.key === "End") to(limits()[1]);
    else return;
    event.preventDefault();
  });

  return (lr, used) => {
    now = lr;
    const [low, high] = range();
    const place = (Math.log10(lr) - low) / (high - low);
    element.hidden = place < -EDGE || place > 1 + EDGE;
    element.classList.toggle("unused", !used);
    element.style.cssText = `left: ${MARGIN.l + place * width()}px; top: ${MARGIN.t - TAG}px; bottom: ${MARGIN.b}px`;
    tag.textContent = `${name} ${lr}`;
    // In decades, as the axis has it; what is read out is the text.
    const decades = [...limits(), lr].map((value) => Math.log10(value).toFixed(3));
    ["min", "max", "now"].forEach((end, k) => element.setAttribute(`aria-value${end}`, decades[k]));
    element.setAttribute("aria-valuetext", used ? `${lr}` : `${lr}, not used by this policy`);
  };
}
