// Numbers, names and times as a person reads them.

const SEPARATOR = " > ";
const TASKS = { churn: "Stays away", next_category: "Next category", propensity: "Wants", new_interest: "Newly wants" };

/** Two figures at least: `0.342` -> `34 %`, `0.0342` -> `3.4 %`, `0.000034` -> `0.0034 %`. */
export function percent(value) {
  if (value === 0) return "0 %";
  if (value < 0.000001) return "< 0.0001 %";
  const places = Math.max(0, 1 - Math.floor(Math.log10(100 * value)));
  return `${(100 * value).toFixed(places)} %`;
}

/** A difference of shares, in percentage points; nothing if it rounds to none. */
export function points(difference) {
  const rounded = (100 * difference).toFixed(1);
  if (Number(rounded) === 0) return "";
  return `${difference > 0 ? "+" : "−"}${rounded.replace("-", "")}`;
}

/** Signed, with as many places as it takes. */
export function contribution(value) {
  const places = Math.abs(value) >= 0.01 ? 1 : 2;
  return `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(places)}`;
}

/** The narrow end of a category path, and what is before it. */
export function split(path) {
  const names = path.split(SEPARATOR);
  return [names.at(-1), names.slice(0, -1).join(" › ")];
}

export function moment(time_s) {
  return new Date(1000 * time_s).toISOString().slice(0, 16).replace("T", " ");
}

/** The day; it is never broken into two lines. */
export function day(time_s) {
  return moment(time_s).slice(0, 10).replaceAll("-", "\u2011");
}

export function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `propensity_short`, `MILK` -> `Wants MILK, short horizon`. */
export function task(name, category) {
  const [, stem, horizon] = name.match(/^(.*?)(?:_(short|long))?$/);
  const about = category ? `${stem === "next_category" ? ":" : ""} ${split(category)[0]}` : "";
  return `${TASKS[stem] || stem.replaceAll("_", " ")}${about}${horizon ? `, ${horizon} horizon` : ""}`;
}
