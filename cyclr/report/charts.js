"use strict";
// The two pictures, by plotly.js.

const MARGIN = { l: 62, r: 14, t: 32, b: 44 };
const LABEL = 55; // pixels, of a decade with its label
const CONFIG = {
  responsive: true,
  displaylogo: false,
  modeBarButtons: [["toImage", "zoom2d", "resetScale2d"]],
};
const LANDMARKS = {
  // What it is called, and the side on which the curve usually leaves room.
  onset: ["begins to fall", "bottom left"],
  drop_90: ["90 % of the fall", "bottom left"],
  minimum: ["average turns", "bottom right"],
  edge: ["diverges", "top left"],
};
const ROOM = 500; // pixels, in which the landmarks' names fit

/** Return a colour of the page, which follows the reader's colour scheme. */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Return text as plotly.js shows it, which takes tags for formatting. */
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Return the colour of a run: that of text if there is no other. */
const runColour = (k, count) => colour(count > 1 ? `run-${(k % 5) + 1}` : "curve");

function layout(x, y, more) {
  const axis = { gridcolor: colour("grid"), linecolor: colour("rule"), zeroline: false, showline: true };
  return {
    margin: MARGIN,
    showlegend: false,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("text"), size: 13, family: "system-ui, sans-serif" },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("rule"), font: { color: colour("text") } },
    hovermode: "closest",
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("soft"), activecolor: colour("text") },
    xaxis: { ...axis, ...x },
    yaxis: { ...axis, ...y },
    ...more,
  };
}

/** Return the range of the learning rates to show, in decades: all of them, and the bounds. */
function decades(runs) {
  const bounds = runs.flatMap(({ bounds }) => (bounds ? [bounds.base_lr, bounds.max_lr] : []));
  const exponents = [...runs.flatMap(({ raw }) => raw.lr), ...bounds].map(Math.log10);
  const low = exponents.reduce((a, b) => Math.min(a, b), Infinity);
  const high = exponents.reduce((a, b) => Math.max(a, b), -Infinity);
  const room = Math.max(0.02 * (high - low), 0.05);
  return [low - room, high + room];
}

/** Draw the range tests, the one that is chosen in front. */
function drawTests(element, { runs, metric }, chosen) {
  const order = [...runs.keys()].filter((k) => k !== chosen).concat(chosen);
  const traces = order.flatMap((k) => curves(runs[k], runColour(k, runs.length), k === chosen, metric));
  const run = runs[chosen];
  if (run.landmarks) traces.push(landmarks(run, metric, element.clientWidth > ROOM));
  const low = Math.min(...runs.map((r) => r.low));
  const high = Math.max(...runs.map((r) => r.high));
  const room = 0.06 * (high - low) || 0.5;
  const range = decades(runs);
  const dtick = Math.ceil(((range[1] - range[0]) * LABEL) / element.clientWidth);
  const x = {
    type: "log", range, dtick, tickangle: 0, tickfont: { size: 11 }, exponentformat: "power",
    title: { text: "learning rate (log scale)" },
  };
  const y = { range: [low - room, high + room], tickformat: ".3~g", title: { text: metric } };
  return Plotly.react(element, traces, layout(x, y, { shapes: interval(run) }), CONFIG);
}

function curves(run, line, front, metric) {
  const hover = `lr %{x:.3~g}<br>${metric} %{y:.4~g}<extra>%{fullData.name}</extra>`;
  const { lr: x, loss: y } = run.raw;
  return [
    {
      x, y, name: `${plain(run.name)}, each batch`, type: "scatter", mode: "markers",
      marker: { color: line, size: 4 }, opacity: front ? 0.4 : 0.12,
      hovertemplate: hover, hoverinfo: front ? "all" : "skip",
    },
    {
      x: run.smooth.lr, y: run.smooth.loss, name: `${plain(run.name)}, smoothed`, type: "scatter",
      mode: "lines", line: { color: line, width: front ? 3 : 1.5 }, hovertemplate: hover,
    },
  ];
}

function landmarks(run, metric, named) {
  const { lr, loss } = run.smooth;
  const found = Object.entries(run.landmarks).filter(([, at]) => at !== null);
  const beside = (at) => lr.findIndex((x) => x >= at);
  return {
    x: found.map(([, at]) => at),
    y: found.map(([, at]) => loss.at(beside(at))), // past the end it is the last
    text: found.map(([name]) => LANDMARKS[name][0]),
    textposition: found.map(([name]) => LANDMARKS[name][1]),
    type: "scatter", mode: named ? "markers+text" : "markers", cliponaxis: false,
    marker: { color: colour("card"), size: 10, line: { color: colour("text"), width: 2 } },
    hovertemplate: `<b>%{text}</b><br>lr %{x:.3~g}<br>${metric} %{y:.4~g}<extra></extra>`,
  };
}

function interval({ bounds }) {
  if (!bounds) return [];
  const [x0, x1] = bounds.interval;
  return [{
    type: "rect", xref: "x", yref: "paper", x0, x1, y0: 0, y1: 1,
    fillcolor: colour("band"), line: { width: 0 }, layer: "below",
  }];
}

/** Draw the schedule, and the bounds that it keeps to. */
function drawSchedule(element, policy, settings) {
  const trace = {
    ...course(policy, settings), type: "scatter", mode: "lines",
    line: { color: colour("curve"), width: 2, simplify: false },
    hovertemplate: "iteration %{x:,}<br>lr %{y:.4~g}<extra></extra>",
  };
  const names = ["base_lr", "max_lr"].filter((name) => name in policy.arguments);
  const shapes = names.map((name) => ({
    type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: settings[name], y1: settings[name],
    line: { color: colour(name.slice(0, -3)), width: 1.5, dash: "dot" },
  }));
  const x = { range: [0, settings.iterations], tickformat: ",", title: { text: "iteration" } };
  const y = { range: [0, 1.06 * settings.max_lr], tickformat: ".2~g", title: { text: "learning rate" } };
  return Plotly.react(element, [trace], layout(x, y, { shapes }), CONFIG);
}
