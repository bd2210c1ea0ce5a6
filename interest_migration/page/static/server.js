// What the page asks of the server it came from, and its errors in words.

export class ServerError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

const TRIES = 4;
const SLOW = [503, 504];

const REASONS = {
  404: "The server has no such model, version or label any more.",
  413: "That is more than the server takes at once.",
  429: "The server is busy; try again in a moment.",
  503: "The server is stopping or has no version ready.",
  504: "The server took too long to answer.",
};

async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("The server does not answer. Is it still running?");
  }
  const text = await response.text();
  let told = null;
  try {
    told = JSON.parse(text);
  } catch {
    // an error page; its status says enough
  }
  if (response.ok && told !== null) return told;
  const said = told && told.error ? told.error : text.slice(0, 300);
  const reason = REASONS[response.status] || "The server refused the request.";
  throw new ServerError(said ? `${reason} It says: ${said}` : reason, response.status);
}

/** Asks again while the server is not ready: the first answer of a version that was just loaded takes long. */
async function persistently(work) {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (!left || !SLOW.includes(error.status)) throw error;
    }
  }
}

/** Returns [{name, labels, versions: [{version, state, error, signatures}]}]. */
export async function models() {
  return (await ask("monitoring/models")).models;
}

/** Returns [{user, cut_time_s, events}]. */
export async function users() {
  return (await ask("page/users.json")).users;
}

/** Returns {actions, categories, items, brands, platforms, item_paths}. */
export function vocabulary(model, version) {
  return ask(`page/vocabulary.json?${new URLSearchParams({ model, version })}`);
}

/** Asks a signature of {model, version, label}; returns its outputs by name. */
export async function call(choice, signature, inputs, signal) {
  const which = choice.label ? `labels/${encodeURIComponent(choice.label)}` : `versions/${choice.version}`;
  const request = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ signature_name: signature, inputs }),
    signal,
  };
  const url = `v1/models/${encodeURIComponent(choice.model)}/${which}:predict`;
  return (await persistently(() => ask(url, request))).outputs;
}

const NONE = { time_s: 0, action: "", item: "", category_path: "", brand: "", platform: "", text: "", session: "" };
const NO_NUMBER = -1;

/** Columns of the same events for every moment asked about; a user without events is one empty slot. */
export function columns(events, moments) {
  const sent = events.length ? events : [NONE];
  const repeat = (value) => moments.map(() => sent.map(value));
  const inputs = { cut_time_s: moments };
  for (const name of Object.keys(NONE)) inputs[name] = repeat((event) => event[name] ?? NONE[name]);
  inputs.price = repeat((event) => event.price ?? NO_NUMBER);
  inputs.quantity = repeat((event) => event.quantity ?? NO_NUMBER);
  return inputs;
}
