// Lines of shares along the trajectory.

import { drawn, element } from "./build.js";
import { day, percent } from "./words.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [340, 130, 54, 8, 10, 20];

/** Draws series [{name, values}] of shares, null where unknown, at moments in Unix seconds. */
export function chart(title, series, moments) {
  const highest = Math.max(0.05, ...series.flatMap((line) => line.values.filter((value) => value !== null)));
  const top = highest > 0.5 ? 1 : Math.ceil(highest * 20) / 20;
  const x = (place) => LEFT + ((WIDTH - LEFT - RIGHT) * place) / Math.max(moments.length - 1, 1);
  const y = (share) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share / top);
  const parts = [0, top / 2, top].flatMap((share) => [
    drawn("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share) }),
    drawn("text", { x: LEFT - 4, y: y(share) + 4, "text-anchor": "end" }, percent(share)),
  ]);
  parts.push(drawn("text", { x: LEFT, y: HEIGHT - 4 }, day(moments[0])));
  parts.push(drawn("text", { x: WIDTH - RIGHT, y: HEIGHT - 4, "text-anchor": "end" }, day(moments.at(-1))));
  series.forEach((line, index) => parts.push(...plot(line, moments, index, x, y)));
  const label = `${title}, ${day(moments[0])} to ${day(moments.at(-1))}: ${series.map((line) => `${line.name} ${path(line.values)}`).join("; ")}`;
  const picture = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, ...parts);
  return [picture, legend(series)];
}

function plot(line, moments, index, x, y) {
  const color = `var(--series-${index})`;
  const points = line.values.map((value, place) => (value === null ? null : [x(place), y(value)]));
  let drawing = "";
  points.forEach((point, place) => {
    if (point) drawing += `${points[place - 1] ? "L" : "M"}${point.map((number) => number.toFixed(1)).join(" ")}`;
  });
  const dots = points.map((point, place) => {
    if (!point) return "";
    const told = `${line.name}, ${day(moments[place])}: ${percent(line.values[place])}`;
    const size = place === points.length - 1 ? 4 : 2.5;
    return drawn("circle", { cx: point[0], cy: point[1], r: size, style: `fill:${color}` }, drawn("title", {}, told));
  });
  return [drawn("path", { class: "line", d: drawing, style: `stroke:${color}` }), ...dots];
}

function path(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? `${percent(known[0])} to ${percent(known.at(-1))}` : "not among the likeliest";
}

function legend(series) {
  const key = (index) => element("i", { style: { borderColor: `var(--series-${index})` }, "aria-hidden": "true" });
  return element("ul", { class: "legend" }, ...series.map((line, index) => element("li", {}, key(index), line.name)));
}
