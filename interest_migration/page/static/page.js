// The page: what was done -> columns of events -> answers.

import * as answers from "./answers.js";
import { element, fill, options } from "./build.js";
import * as server from "./server.js";
import { Trajectory } from "./trajectory.js";
import * as words from "./words.js";

const GONE = 404;
const LOADING = ["START", "LOADING"];
const PANELS = { explain_columns: "why", paths_columns: "paths" };
const FIELDS = ["item", "brand", "platform", "text"];
const byId = (id) => document.getElementById(id);

const trajectory = new Trajectory();
const found = { choice: null, users: [], known: null, answer: null, before: null, explained: null, paths: null };
let asked = null;
let waiting = 0;

async function begin() {
  found.users = await server.users();
  offerUsers();
  if (offerModels(await loadedModels())) await chooseModel();
}

/** Waits while versions are being loaded and none is ready yet. */
async function loadedModels() {
  for (;;) {
    const models = await server.models();
    const states = models.flatMap((model) => model.versions.map((version) => version.state));
    if (states.includes("AVAILABLE") || !states.some((state) => LOADING.includes(state))) return models;
    byId("status").textContent = "The server is loading the model; this page goes on by itself …";
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function offerModels(models) {
  const made = models.flatMap((model) => {
    const ready = model.versions.filter((version) => version.state === "AVAILABLE");
    const labels = Object.entries(model.labels).filter(([, at]) => ready.some((version) => version.version === at));
    const named = labels.map(([label, at]) => [`${model.name}, ${label} (version ${at})`, { label, version: at }]);
    const plain = ready.map((version) => [`${model.name}, version ${version.version}`, { version: version.version }]);
    return [...named.sort((a, b) => (a[1].label === "stable" ? -1 : 1) - (b[1].label === "stable" ? -1 : 1)), ...plain].map(
      ([text, choice]) => element("option", { value: JSON.stringify({ model: model.name, ...choice }) }, text),
    );
  });
  if (made.length) byId("model").replaceChildren(...made);
  else {
    byId("model").replaceChildren(element("option", { value: "" }, "none"));
    const errors = models.flatMap((model) => model.versions.map((version) => version.error).filter(Boolean));
    tellError(`The server has no model that answers. ${errors[0] || "Push one, then load this page again."}`);
    byId("status").textContent = "";
  }
  return made.length > 0;
}

function offerUsers() {
  const made = found.users.map((user, place) => {
    const last = words.day(user.events.at(-1).time_s);
    const told = `${user.user.slice(0, 8)}…, ${words.plural(user.events.length, "event")} until ${last}`;
    return element("option", { value: place }, told);
  });
  byId("user").append(...made);
}

async function chooseModel(isAgain = false) {
  found.choice = JSON.parse(byId("model").value);
  found.known = await server.vocabulary(found.choice.model, found.choice.version);
  const { actions, categories, items, brands, platforms, item_paths: paths } = found.known;
  const before = byId("action").value;
  byId("action").replaceChildren(...actions.map((name) => element("option", { value: name }, name)));
  byId("action").value = before || (actions.includes("purchase") ? "purchase" : actions[0]);
  fill("categories", ...options(categories));
  fill("brands", ...options(brands));
  fill("platforms", ...options(platforms));
  answers.knowItems(paths);
  found.itemNames = new Set(items);
  found.categoryNames = new Set(categories);
  offerItems();
  found.answer = found.before = null;
  await ask(isAgain);
}

/** Items of the category that was typed first, if any are known. */
function offerItems() {
  const { items, item_paths: paths } = found.known;
  const category = byId("category").value.trim();
  const inside = category ? items.filter((item) => (paths[item] || "").startsWith(category)) : [];
  fill("items", ...options((inside.length ? inside : items).slice(0, 500)));
}

async function ask(isAgain = false) {
  showEvents();
  if (!found.choice) return;
  if (asked) asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  byId("answers").classList.add("stale");
  const { events } = trajectory;
  const moments = trajectory.moments();
  const [all, now] = [server.columns(events, moments), server.columns(events, moments.slice(-1))];
  const parts = [
    ["predict", all, (outputs) => showAnswer(outputs, moments)],
    ["explain_columns", now, (outputs) => explain(outputs, events)],
    ["paths_columns", now, showPaths],
  ];
  const works = parts.map(async ([name, inputs, show]) => {
    const outputs = await server.call(found.choice, name, inputs, signal);
    if (!signal.aborted) show(outputs);
  });
  const ends = await Promise.allSettled(works);
  if (signal.aborted) return;
  const failed = ends.find((end) => end.status === "rejected");
  if (failed?.reason.status === GONE && !isAgain) return chooseAnew();
  tellError(failed ? failed.reason.message : "");
  ends.forEach((end, place) => end.status === "rejected" && forget(parts[place][0]));
}

/** Goes on with what is served now, since the version asked before was unloaded. */
async function chooseAnew() {
  if (offerModels(await loadedModels())) await chooseModel(true);
}

/** Takes away what belongs to events that are there no more. */
function forget(signature) {
  if (signature === "explain_columns") found.explained = null;
  if (signature === "paths_columns") found.paths = null;
  if (PANELS[signature]) fill(PANELS[signature], element("p", { class: "hint" }, "There is no answer."));
}

function showAnswer(outputs, moments) {
  [found.before, found.answer] = [found.answer, outputs];
  byId("answers").classList.remove("stale");
  answers.showAnswer(found.answer, found.before, moments);
  showInterests();
  tellStatus();
}

function explain(outputs, events) {
  found.explained = { outputs, events };
  answers.offerTasks(outputs);
  showReasons();
}

function showPaths(outputs) {
  found.paths = outputs;
  if (outputs) answers.showPaths(outputs, byId("kind").value);
}

function askSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(() => guard(() => ask()), 150);
}

async function guard(work) {
  try {
    await work();
  } catch (error) {
    if (error.name !== "AbortError") tellError(error.message);
  }
}

function showInterests() {
  if (found.answer) answers.showInterests(found.answer, found.before, byId("horizon").value);
}

function showReasons() {
  if (!found.explained) return;
  const { outputs, events } = found.explained;
  const place = outputs.task[0].indexOf(byId("task").value);
  const contributions = answers.showReasons(outputs, place, events);
  if (events === trajectory.events) showEvents(contributions);
}

function showEvents(contributions = new Map()) {
  const { events } = trajectory;
  const rows = events.map((event, index) => row(event, index, contributions.get(index)));
  fill("events", ...rows.reverse());
  byId("no-events").hidden = events.length > 0;
  byId("undo").disabled = trajectory.past.length === 0;
  byId("clear").disabled = events.length === 0;
  byId("ask").hidden = events.length === 0;
  byId("ask-days").value = Math.round(trajectory.askDays * 10) / 10;
  byId("ask-range").value = trajectory.askDays;
}

function row(event, index, contribution) {
  const what = event.category_path ? answers.named(event.category_path) : [event.text || event.item || "no category"];
  const told = `${words.moment(event.time_s)} UTC, ${event.action}${event.item ? ` of item ${event.item}` : ""}`;
  const remove = element("button", { type: "button", "aria-label": `Remove event ${index + 1}: ${told}` }, "×");
  remove.addEventListener("click", () => {
    trajectory.remove(index);
    guard(() => ask());
    focusEvent(index);
  });
  const mark = contribution === undefined ? "" : words.contribution(contribution);
  const tone = !mark ? "" : contribution > 0 ? "for" : contribution < 0 ? "against" : "";
  const chip = element("span", { class: tone === "for" ? "up" : tone === "against" ? "down" : "calm" }, mark);
  if (mark) chip.append(element("span", { class: "visually-hidden" }, " points to the answer explained"));
  const body = element("span", { class: "what" }, ...what, element("span", { class: "when" }, told));
  return element("li", { class: tone || null }, body, chip, remove);
}

function focusEvent(index) {
  const buttons = [...byId("events").querySelectorAll("button")].reverse();
  (buttons[Math.min(index, buttons.length - 1)] || byId("action")).focus();
}

function readEvent() {
  const event = { action: byId("action").value, category_path: byId("category").value.trim() };
  for (const field of FIELDS) event[field] = byId(field).value.trim();
  if (!event.category_path) event.category_path = found.known?.item_paths[event.item] || "";
  if (byId("price").value) event.price = Number(byId("price").value);
  return event;
}

/** Says of a name that the model has never seen it; it answers all the same. */
function tellNames() {
  const notes = [];
  const category = byId("category").value.trim();
  const broad = [...(found.categoryNames || [])].some((name) => category === name || category.startsWith(`${name} > `));
  if (category && found.categoryNames && !broad) notes.push("This category is new to the model, or rare.");
  const item = byId("item").value.trim();
  if (item && found.itemNames && !found.itemNames.has(item)) notes.push("This item is new to the model, or rare.");
  fill("name-hint", notes.join(" "));
}

function tellStatus() {
  const { answer, before, choice } = found;
  const [now, then] = [answer, before].map((one) => one && one.churn_probability_short.at(-1));
  const moved = before && words.points(now - then) ? `, ${words.points(now - then)} points` : "";
  const events = words.plural(trajectory.events.length, "event");
  const next = answer.next_category.at(-1)[0];
  byId("status").textContent =
    `Version ${choice.version} answered for ${events}. Stays away within the short horizon: ${words.percent(now)}${moved}.` +
    (next ? ` Likeliest next: ${words.split(next)[0]}.` : "");
}

function tellError(text) {
  byId("error").hidden = !text;
  byId("error").textContent = text;
}

function setAskDays(value) {
  if (value === "" || Number(value) < 0) return;
  trajectory.askDays = Number(value);
  askSoon();
}

byId("model").addEventListener("change", () => guard(() => chooseModel()));
byId("user").addEventListener("change", (event) => {
  const user = found.users[event.target.value];
  trajectory.replace(user ? user.events : [], user ? user.cut_time_s : 0);
  found.answer = found.before = null;
  guard(() => ask());
});
byId("event").addEventListener("submit", (event) => {
  event.preventDefault();
  trajectory.add(readEvent(), Number(byId("gap").value));
  guard(() => ask());
});
byId("undo").addEventListener("click", () => {
  trajectory.undo();
  guard(() => ask());
});
byId("clear").addEventListener("click", () => {
  trajectory.clear();
  guard(() => ask());
});
byId("ask-range").addEventListener("input", (event) => setAskDays(event.target.value));
byId("ask-days").addEventListener("change", (event) => setAskDays(event.target.value));
byId("category").addEventListener("input", () => {
  if (found.known) offerItems();
  tellNames();
});
byId("item").addEventListener("input", tellNames);
byId("task").addEventListener("change", showReasons);
byId("horizon").addEventListener("change", showInterests);
byId("kind").addEventListener("change", () => showPaths(found.paths));
guard(begin);
