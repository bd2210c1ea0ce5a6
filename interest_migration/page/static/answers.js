// Shows what the model answered, beside what it answered before the last change.

import { element, fill } from "./build.js";
import { chart } from "./chart.js";
import * as words from "./words.js";

const HORIZONS = ["short", "long"];
const SHOWN = 8;
const CHARTED = 4;

let itemPaths = {};

/** Shows the answer of `predict` for the moments asked about; the last one is now. */
export function showAnswer(outputs, before, moments) {
  const now = (name) => outputs[name].at(-1);
  const then = (name) => (before ? before[name].at(-1) : null);
  showChurn(outputs, now, then, moments);
  showNext(outputs, now, then, moments);
  showItems(now, then);
}

function showChurn(outputs, now, then, moments) {
  const rows = HORIZONS.map((horizon) => {
    const name = `churn_probability_${horizon}`;
    const difference = then(name) === null ? null : now(name) - then(name);
    return share(`within the ${horizon} horizon`, now(name), difference, 1, true);
  });
  fill("churn", table(["", "probability"], rows, then("next_category")));
  const series = HORIZONS.map((horizon) => {
    return { name: `${horizon} horizon`, values: outputs[`churn_probability_${horizon}`] };
  });
  fill("churn-chart", ...(moments.length > 1 ? chart("Probability to stay away", series, moments) : []));
}

function showNext(outputs, now, then, moments) {
  const current = now("current_category");
  const turns = `Probability that the next step turns elsewhere: ${words.percent(now("switch_probability"))}.`;
  fill("current", current ? `Last interest: ${words.split(current)[0]}. ${turns}` : "No interest is known yet.");
  const names = now("next_category");
  fill("next", ranking(names, now("next_category_probability"), then("next_category"), then("next_category_probability")));
  const series = names.slice(0, CHARTED).filter(Boolean).map((name) => {
    const values = moments.map((_, row) => {
      const place = outputs.next_category[row].indexOf(name);
      return place < 0 ? null : outputs.next_category_probability[row][place];
    });
    return { name: words.split(name)[0], values };
  });
  fill("next-chart", ...(moments.length > 1 ? chart("Probability of the next category", series, moments) : []));
}

/** Shows which categories are wanted within a horizon. */
export function showInterests(outputs, before, horizon) {
  const now = (name) => outputs[`${name}_${horizon}`].at(-1);
  const then = (name) => (before ? before[`${name}_${horizon}`].at(-1) : null);
  fill(
    "interests",
    ranking(now("interest"), now("interest_probability"), then("interest"), then("interest_probability")),
  );
  const fresh = [now("new_interest"), now("new_interest_share"), then("new_interest"), then("new_interest_share")];
  fill("new-interests", ranking(...fresh, "share"));
}

function showItems(now, then) {
  const [items, before] = [now("next_item"), then("next_item")];
  const rows = items.filter(Boolean).map((item, place) => {
    const rank = before ? before.indexOf(item) : place;
    const moved = rank < 0 ? movement("new", "up") : moves(rank - place);
    const path = itemPaths[item];
    const about = path ? element("span", { class: "broad" }, ` ${words.split(path)[0]}`) : "";
    return element("tr", {}, element("th", { scope: "row" }, `${place + 1}. ${item}`, about), moved);
  });
  fill("items-answer", table(["item"], rows, before));
}

/** Tells the answers which category an item belongs to. */
export function knowItems(paths) {
  itemPaths = paths;
}

function moves(places) {
  if (places === 0) return movement("", "calm");
  return movement(`${places > 0 ? "▲" : "▼"} ${Math.abs(places)}`, places > 0 ? "up" : "down");
}

function movement(text, tone) {
  return element("td", { class: `moved ${tone}` }, text);
}

function ranking(names, shares, namesBefore, sharesBefore, figure = "probability") {
  const highest = Math.max(...shares, 1e-9);
  const rows = names.slice(0, SHOWN).flatMap((name, place) => {
    if (!name) return [];
    const rank = namesBefore ? namesBefore.indexOf(name) : -1;
    const difference = namesBefore === null ? null : rank < 0 ? NaN : shares[place] - sharesBefore[rank];
    return [share(name, shares[place], difference, highest, false)];
  });
  return rows.length ? table(["category", figure], rows, namesBefore) : element("p", { class: "hint" }, "None.");
}

/** A row: name, bar, share, and how it moved; NaN is new among the likeliest, null is unknown. */
function share(name, value, difference, highest, isBad) {
  const bar = element("span", { class: "track", "aria-hidden": "true" }, width(value / highest));
  let moved = movement("", "calm");
  if (Number.isNaN(difference)) moved = movement("new", "up");
  else if (difference !== null) {
    const tone = difference > 0 !== isBad ? "up" : "down";
    moved = movement(words.points(difference), words.points(difference) ? tone : "calm");
  }
  const figure = element("td", { class: "figure" }, words.percent(value));
  return element("tr", {}, element("th", { scope: "row" }, ...named(name), bar), figure, moved);
}

function width(part) {
  return element("span", { style: { width: `${Math.max(0, Math.min(1, part)) * 100}%` } });
}

/** The narrow end of a path, with the broad one before it in a softer colour. */
export function named(path) {
  const [narrow, broad] = words.split(path);
  return broad ? [element("span", { class: "broad" }, `${broad} › `), narrow] : [narrow];
}

/** A table whose last column tells what moved since an answer before, if there is one. */
function table(heads, rows, before) {
  const cells = [...heads, before ? "moved" : ""].map((head, place) => {
    if (!head && place) return element("td", {});
    if (!head) return element("th", { scope: "col" }, element("span", { class: "visually-hidden" }, "what"));
    return element("th", { scope: "col", class: place ? "right" : null }, head);
  });
  return element("table", {}, element("thead", {}, element("tr", {}, ...cells)), element("tbody", {}, ...rows));
}

/** Shows the likeliest paths of a kind, `moves` or `steps`. */
export function showPaths(outputs, kind) {
  const [chances, paths] = [outputs[`${kind}_probability`][0], outputs[`${kind}_category`][0]];
  const rows = paths.flatMap((path, place) => {
    const names = path.filter(Boolean);
    if (!names.length || chances[place] <= 0) return [];
    const told = names.map((name) => words.split(name)[0]).join(" → ");
    return [element("li", {}, element("span", {}, told), element("span", {}, words.percent(chances[place])))];
  });
  fill("paths", rows.length ? element("ol", { class: "paths" }, ...rows) : element("p", { class: "hint" }, "None."));
}

/** Shows what the answer to a task rests on; returns event index -> contribution. */
export function showReasons(outputs, place, events) {
  const row = (name) => outputs[name][0][place];
  const found = row("event_index").flatMap((index, rank) => {
    return index >= 0 && index < events.length ? [[index, row("event_contribution")[rank]]] : [];
  });
  const told = found.map(([index, by]) => {
    const event = events[index];
    const what = event.category_path ? words.split(event.category_path)[0] : event.item || event.text || "no category";
    return reason(`${event.action} of ${what}, ${words.day(event.time_s)}`, by);
  });
  const interests = pairs(row("interest"), row("interest_contribution"), (name) => `everything in ${words.split(name)[0]}`);
  const numbers = pairs(row("number"), row("number_contribution"), (name) => name.replaceAll("_", " "));
  const groups = [
    ["Without the event the answer would lack, in points", told],
    ["Without all events of an interest", interests],
    ["With everybody's average in place of a number", numbers],
  ];
  const parts = groups.flatMap(([title, rows]) => {
    const shown = rows.slice(0, 5);
    if (!shown.length) return [];
    return [element("h4", {}, title), element("table", {}, element("tbody", {}, ...shown))];
  });
  fill("why", ...(parts.length ? parts : [element("p", { class: "hint" }, "Nothing this answer rests on.")]));
  return new Map(found);
}

function pairs(names, contributions, tell) {
  return names.flatMap((name, place) => {
    const by = contributions[place];
    return name && words.points(by) ? [reason(tell(name), by)] : [];
  });
}

function reason(text, by) {
  const told = words.contribution(by);
  return element("tr", {}, element("th", { scope: "row" }, text), movement(told, by > 0 ? "up" : by < 0 ? "down" : "calm"));
}

/** Puts the answers that can be explained into the list; keeps the one that was chosen. */
export function offerTasks(outputs) {
  const list = document.getElementById("task");
  const chosen = list.value;
  const names = outputs.task[0];
  const made = names.map((name, place) => {
    const told = `${words.task(name, outputs.category[0][place])} (${words.percent(outputs.score[0][place])})`;
    return element("option", { value: name }, told);
  });
  list.replaceChildren(...made);
  list.value = names.includes(chosen) ? chosen : names.includes("next_category") ? "next_category" : names[0];
  return names.indexOf(list.value);
}
