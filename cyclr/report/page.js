"use strict";
// The page: what is chosen, and everything that follows from it, drawn anew with each change.

const DATA = JSON.parse(document.getElementById("data").textContent);
const LENGTHS = {
  // What can be typed, and the decades that can be slid over.
  step_size: { least: 1, most: 1e8, decades: [1, 5] },
  iterations: { least: 10, most: 1e9, decades: [2, 6] },
};
const CYCLES = 1000; // that can be drawn
const ENDS = decades(DATA.runs).map((exponent) => rounded(10 ** exponent)); // of the chart
const TINY = 1e-15; // the lowest learning rate that can be typed

const byId = (id) => document.getElementById(id);
const count = (n) => n.toLocaleString("en");
const firstWithBounds = DATA.runs.findIndex(({ bounds }) => bounds);
const settings = {
  run: Math.max(firstWithBounds, 0),
  policy: "Triangular2",
  framework: Object.keys(DATA.snippets)[0],
  step_size: 2000,
  iterations: 16000,
  base_lr: null,
  max_lr: null,
};
const run = () => DATA.runs[settings.run];
const policy = () => DATA.policies.find(({ name }) => name === settings.policy);

/** Change settings, and draw what follows from them, once a frame. */
let awaited = null;
function change(changes) {
  Object.assign(settings, changes);
  awaited ??= requestAnimationFrame(() => {
    awaited = null;
    drawSettings();
  });
}

function choose(k) {
  settings.run = k;
  const { bounds } = run();
  for (const [selector, there] of [[".with-bounds", bounds], [".without-bounds", !bounds], ["#handles", bounds]])
    document.querySelectorAll(selector).forEach((element) => (element.hidden = !there));
  tell(run());
  byId("test-chart").setAttribute("aria-label", described(run()));
  if (bounds) Object.assign(settings, { base_lr: bounds.base_lr, max_lr: bounds.max_lr });
  draw();
}

// --- What is drawn ---------------------------------------------------------------------------

function draw() {
  drawTests(byId("test-chart"), DATA, settings.run);
  drawSettings();
}

function drawSettings() {
  if (!run().bounds) return;
  placeHandles();
  fillIn();
  drawSchedule(byId("schedule-chart"), policy(), settings);
  byId("about").textContent = policy().about;
  byId("course").textContent = inWords();
  byId("schedule-chart").setAttribute("aria-label", `The learning rate over the iterations. ${inWords()}`);
  offerFit();
  byId("snippet").textContent = filled(DATA.snippets[settings.framework], policy(), settings);
  byId("copied").textContent = "";
}

/** Return the lowest and the highest value that a setting can have beside the others. */
function limits(name) {
  const { least, most } = LENGTHS[name] ?? {};
  const cyclic = policy().unit === "step_size";
  switch (name) {
    case "base_lr": return [TINY, settings.max_lr];
    case "max_lr": return [settings.base_lr, Number.MAX_VALUE];
    case "step_size": return [Math.max(least, Math.ceil(settings.iterations / 2 / CYCLES)), most];
    case "iterations": return [least, cyclic ? Math.min(2 * CYCLES * settings.step_size, most) : most];
  }
}

/** Return the limits of a bound on the chart. */
function shown(name) {
  const [low, high] = limits(name);
  return [Math.max(low, ENDS[0]), Math.min(high, ENDS[1])];
}

const handles = {};
function placeHandles() {
  if (!run().bounds) return;
  for (const [name, place] of Object.entries(handles)) place(settings[name], name in policy().arguments);
}

/** Show the settings in the fields, but for the one that is being changed. */
let changing = null;
function fillIn() {
  for (const name of ["base_lr", "max_lr", "step_size", "iterations"]) {
    const field = byId(name);
    [field.min, field.max] = limits(name);
    if (field !== changing) field.value = settings[name];
    const slide = byId(`${name}-slide`);
    if (!slide) continue;
    if (slide !== changing) slide.value = Math.log10(settings[name]);
    slide.setAttribute("aria-valuetext", count(settings[name]));
  }
  byId("step").querySelectorAll("input").forEach((input) => (input.disabled = policy().unit !== "step_size"));
}

function inWords() {
  const { iterations, step_size } = settings;
  if (policy().unit === "iterations") {
    return `One course over ${count(iterations)} iterations. base_lr and the step size are not used.`;
  }
  const cycles = iterations / (2 * step_size);
  const named = cycles === 1 ? "cycle" : "cycles";
  const many = `${Number(cycles.toFixed(2))} ${named} of ${count(2 * step_size)} iterations`;
  return Number.isInteger(cycles) ? `${many}.` : `${many}. Training is best ended where a cycle ends:`;
}

/** Offer the nearest training length that ends with a cycle. */
function offerFit() {
  const period = 2 * settings.step_size;
  const fit = Math.max(Math.round(settings.iterations / period), 1) * period;
  byId("fit").hidden = policy().unit !== "step_size" || fit === settings.iterations || fit > LENGTHS.iterations.most;
  byId("fit").textContent = `${count(fit)} iterations`;
  byId("fit").onclick = () => {
    change({ iterations: fit });
    byId("iterations").focus(); // the button goes away
  };
}

function tell({ words, reasons }) {
  const paragraphs = words.map((line) => made("p", line));
  const items = reasons.map(({ message, advice }) => made("li", made("strong", message), advice));
  const list = items.length ? [made("ul", ...items)] : [];
  byId("words").replaceChildren(...paragraphs, ...list);
}

function described({ name, words, reasons }) {
  const told = [...words, ...reasons.map(({ message }) => message)].join(" ");
  return `${DATA.metric} over the learning rate, of ${name}. ${told}`;
}

/** Return a new element with children: elements, or strings, which stay text. */
function made(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

// --- What is chosen --------------------------------------------------------------------------

/** Fill a fieldset with radio buttons, labelled by elements. */
function offer(fieldset, labels, chosen, take) {
  labels.forEach((label, k) => {
    const input = made("input");
    Object.assign(input, { type: "radio", name: fieldset.id, checked: k === chosen });
    input.addEventListener("change", () => take(k));
    fieldset.append(made("label", input, ...label));
  });
}

/** Return the file's name without its folders, if that tells it from the others. */
function shortest(path) {
  const last = (name) => name.split(/[\\/]/).at(-1);
  return DATA.runs.filter(({ name }) => last(name) === last(path)).length > 1 ? path : last(path);
}

function runLabel({ name, source, bounds }, k) {
  const swatch = made("i");
  swatch.style.color = DATA.runs.length > 1 ? `var(--run-${(k % 5) + 1})` : "var(--curve)";
  const title = made("span", shortest(name));
  title.className = "name";
  title.title = name;
  const several = DATA.runs.length > 1;
  const told = bounds ? `max_lr ${bounds.max_lr}` : "inconclusive";
  const found = made("span", several ? told : source);
  found.className = "found";
  found.title = source;
  return [swatch, title, found];
}

function listen() {
  offer(byId("runs"), DATA.runs.map(runLabel), settings.run, choose);
  const frameworks = Object.keys(DATA.snippets);
  offer(byId("frameworks"), frameworks.map((name) => [name]), 0, (k) => change({ framework: frameworks[k] }));
  byId("policy").append(...DATA.policies.map(({ name }) => new Option(name)));
  byId("policy").value = settings.policy;
  byId("policy").addEventListener("change", (event) => change({ policy: event.target.value }));
  byId("reset").addEventListener("click", () => change({ ...run().bounds }));
  byId("copy").addEventListener("click", copy);
  for (const name of ["base_lr", "max_lr", "step_size", "iterations"]) typed(name);
  for (const name of Object.keys(LENGTHS)) slid(name);
}

function typed(name) {
  const field = byId(name);
  field.addEventListener("input", () => {
    changing = field;
    if (field.value !== "" && field.checkValidity()) change({ [name]: field.valueAsNumber });
  });
  field.addEventListener("change", () => field.reportValidity());
  field.addEventListener("blur", settle);
}

function slid(name) {
  const slide = byId(`${name}-slide`);
  [slide.min, slide.max] = LENGTHS[name].decades;
  slide.addEventListener("input", () => {
    changing = slide;
    const [least, most] = limits(name);
    const near = Number((10 ** slide.valueAsNumber).toPrecision(2));
    change({ [name]: Math.min(Math.max(near, least), most) });
  });
  slide.addEventListener("blur", settle);
}

function settle() {
  changing = null;
  fillIn();
}

async function copy() {
  try {
    await navigator.clipboard.writeText(byId("snippet").textContent);
    byId("copied").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("snippet"));
    byId("copied").textContent = "Selected: copy it with Ctrl+C or ⌘C";
  }
}

// --- Begin -----------------------------------------------------------------------------------

listen();
if (firstWithBounds >= 0) {
  for (const [name, side] of [["base_lr", "left"], ["max_lr", "right"]]) {
    const move = (lr) => change({ [name]: lr });
    handles[name] = handle(byId("handles"), byId("test-chart"), name, side, () => shown(name), move);
  }
}
choose(settings.run);
byId("test-chart").on("plotly_afterplot", placeHandles); // it was zoomed, or resized
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
