"use strict";
// What is drawn and what is copied, from the unit curves that Python has computed.

const DRAWN = 1500; // iterations of a long run

/** Return the nearest whole number, and of two the even one, as Python's round does. */
function whole(x) {
  const near = Math.round(x);
  return near - x === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** Return where the legs of a policy's unit curve end, in iterations. */
function corners(policy, settings) {
  const unit = settings[policy.unit];
  return policy.legs.map(({ end }) => whole(end * unit));
}

/** Return the height, from 0 to 1, at an iteration. */
function height(policy, ends, iteration) {
  const last = ends[ends.length - 1];
  const i = policy.repeats ? iteration % last : iteration;
  const k = ends.findIndex((end) => i < end);
  if (k < 0) return policy.legs[ends.length - 1].values.at(-1);
  const start = k > 0 ? ends[k - 1] : 0;
  const { values } = policy.legs[k];
  const place = ((i - start) / (ends[k] - start)) * (values.length - 1);
  const j = Math.floor(place);
  return values[j] + (values[j + 1] - values[j]) * (place - j);
}

/** Return the iterations to draw: all of a short run; of a long one enough, and its corners. */
function places(policy, ends, iterations) {
  const drawn = new Set();
  const add = (i) => i >= 0 && i < iterations && drawn.add(i);
  for (let i = 0; i < iterations; i += Math.ceil(iterations / DRAWN)) drawn.add(i);
  const last = ends[ends.length - 1];
  for (let lap = 0; lap === 0 || (policy.repeats && lap < iterations); lap += last) {
    ends.forEach((end) => [lap + end - 1, lap + end].forEach(add)); // it may jump there
  }
  add(iterations - 1);
  return [...drawn].sort((a, b) => a - b);
}

/** Return the learning rates of a run, {x: iterations, y: rates}: the unit curve, scaled. */
function course(policy, settings) {
  const low = "base_lr" in policy.arguments ? settings.base_lr : 0;
  const ends = corners(policy, settings);
  const x = places(policy, ends, settings.iterations);
  return { x, y: x.map((i) => low + (settings.max_lr - low) * height(policy, ends, i)) };
}

/** Return an argument of a policy, as Python's Argument.value does. */
function argument({ of, times, root }, settings) {
  const value = settings[of] * times;
  if (root !== null) return root ** (1 / value);
  return of === "base_lr" || of === "max_lr" ? value : whole(value);
}

/** Return the schedule as Python code: each number as it was drawn, to the last digit. */
function expression(policy, settings) {
  const written = Object.entries(policy.arguments).map(
    ([name, source]) => `${name}=${argument(source, settings)}`,
  );
  return `${policy.name}(${written.join(", ")})`;
}

/** Return the code to copy. */
function filled(snippet, policy, settings) {
  const values = { policy: policy.name, schedule: expression(policy, settings), iterations: settings.iterations };
  return snippet.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
