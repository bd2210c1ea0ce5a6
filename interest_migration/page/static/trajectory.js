// A user's events, the moment asked about, and what was undone.

const DAY_S = 86400;
const MOST_MOMENTS = 24;

export class Trajectory {
  constructor() {
    this.replace([], 0);
  }

  /** Begins anew with events and a moment, Unix seconds. */
  replace(events, moment) {
    this.events = [...events].sort((a, b) => a.time_s - b.time_s);
    this.past = [];
    const last = this.last();
    this.askDays = this.events.length ? Math.max(moment - last, 1) / DAY_S : 0;
  }

  last() {
    return this.events.length ? this.events.at(-1).time_s : Math.floor(Date.now() / 1000);
  }

  /** The moment asked about: after the last event, by a second at least. */
  moment() {
    return this.last() + Math.max(1, Math.round(this.askDays * DAY_S));
  }

  add(event, gapDays) {
    this.remember();
    const time_s = this.events.length ? this.last() + Math.round(gapDays * DAY_S) : this.last();
    this.events = [...this.events, { ...event, time_s }];
    this.askDays = 0;
  }

  remove(index) {
    this.remember();
    this.events = this.events.filter((_, place) => place !== index);
  }

  clear() {
    this.remember();
    this.events = [];
    this.askDays = 0;
  }

  remember() {
    this.past.push([this.events, this.askDays]);
  }

  undo() {
    [this.events, this.askDays] = this.past.pop();
  }

  /** Moments after each of the newest steps, and the one asked about, oldest first. */
  moments() {
    const ends = [...new Set(this.events.map((event) => event.time_s + 1))];
    const now = this.moment();
    return [...ends.filter((end) => end < now).slice(-MOST_MOMENTS), now];
  }
}
