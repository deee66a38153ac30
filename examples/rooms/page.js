// The demo's page: one socket per user, the same message to all of them, their replies side by side.

const byId = (id) => document.getElementById(id);
const fields = byId("fields").elements;
const hues = ["#6d6a66", "#2f7d4f", "#2a6f97", "#8a4f9e", "#b4622d", "#8d3b3b", "#3d4fa8"];
const ROWS = 40;

let players = [];
let audit = [];
let sent = 0;
/** The selected users, in the order of the list. */
const stage = new Map();

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  // Text from the server is inserted as text, never as markup.
  node.append(...children);
  return node;
}

function face(player) {
  const node = el("span", { class: "face", "aria-hidden": "true" }, player.id ? player.name[0] : "?");
  node.style.setProperty("--hue", hues[player.id % hues.length]);
  return node;
}

/* The messages that can be sent, grouped by route. */

const room = () => `rooms/${fields.room.value}/`;
const message = () => `${room()}messages/${fields.message.value}/`;
const person = () => `${room()}members/${fields.person.value}/`;
const paged = (route) => (fields.page.value > 1 ? `${route}?page=${fields.page.value}` : route);
const text = () => fields.text.value;

const groups = [
  ["Lobby", () => "", {
    whoami: () => ({}),
    list: () => ({ route: paged("") }),
    create_room: () => ({ name: text() }),
    reset: () => ({}),
  }],
  ["A room", room, {
    read: () => ({ route: paged(room()) }),
    post: () => ({ route: room(), text: text() }),
    lock: () => ({ route: room(), locked: true }),
    unlock: () => ({ action: "lock", route: room(), locked: false }),
    rename: () => ({ route: room(), name: text() }),
    export: () => ({ route: room() }),
  }],
  ["A message", message, {
    show: () => ({ route: message() }),
    edit: () => ({ route: message(), text: text() }),
    delete: () => ({ route: message() }),
  }],
  ["A person's place", person, {
    show: () => ({ route: person() }),
    set_role: () => ({ route: person(), role: fields.role.value }),
    ban: () => ({ route: person() }),
    unban: () => ({ route: person() }),
    leave: () => ({ route: person() }),
  }],
  ["Invalid requests", null, {
    "unknown action": () => ({ action: "drop_tables", route: room() }),
    "unknown route": () => ({ action: "read", route: `${room()}vault/` }),
    "no such room": () => ({ action: "read", route: "rooms/99/" }),
    "foreign message": () => ({ action: "show", route: "rooms/1/messages/8/" }),
    "smuggled key": () => ({ action: "read", route: "rooms/6/", room_id: 1 }),
    "missing argument": () => ({ action: "post", route: room() }),
    "not JSON": () => "let me in",
  }],
];

/** The fields that a message takes from the form: those of its route, and those of its arguments. */
const uses = {
  "Lobby": { list: ["page"], create_room: ["text"] },
  "A room": { "": ["room"], read: ["page"], post: ["text"], rename: ["text"] },
  "A message": { "": ["room", "message"], edit: ["text"] },
  "A person's place": { "": ["room", "person"], set_role: ["role"] },
};

/** Messages that change much at once, with what they do. */
const dangers = {
  reset: "All rooms, messages and roles are set back to how the demo starts.",
  ban: "The person is banned from the room until the ban is lifted.",
};

const fieldsOf = (title, name) => [...(uses[title]?.[""] ?? []), ...(uses[title]?.[name] ?? [])];

/** Marks the fields that a message uses, while its button has the pointer or the focus. */
function showUses(used = []) {
  for (const name of ["room", "person", "role", "message", "page", "text"]) fields[name].closest("label").toggleAttribute("data-used", used.includes(name));
}

/** Asks before a message that changes much at once. */
function confirmed(name) {
  if (!dangers[name]) return Promise.resolve(true);
  const dialog = byId("confirm");
  byId("question").textContent = `Send ${name} as ${[...stage.values()].map(({ player }) => player.name).join(", ")}?`;
  byId("consequence").textContent = dangers[name];
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

function request(name, make) {
  const made = make();
  return typeof made === "string" ? made : JSON.stringify({ action: name, ...made, request_id: sent + 1 });
}

function showGroups() {
  byId("groups").replaceChildren(...groups.map(([title, route, actions]) => {
    const buttons = Object.entries(actions).map(([name, make]) => {
      const used = fieldsOf(title, name);
      const press = async () => { if (await confirmed(name)) send(request(name, make)); };
      const [show, hide] = [() => showUses(used), () => showUses()];
      const button = el("button", { type: "button", "data-group": title, "data-action": name,
        title: used.length ? `Uses ${used.join(", ")}` : "Uses no field",
        onclick: press, onpointerenter: show, onpointerleave: hide, onfocus: show, onblur: hide }, name);
      button.toggleAttribute("data-danger", name in dangers || name === "delete");
      return button;
    });
    const heading = el("h3", {}, title);
    if (route?.()) heading.append(el("code", {}, route()));
    return el("div", { class: "group" }, heading, el("div", {}, ...buttons));
  }));
}

/** The expression in effect for a request, from the server's audit. */
function rule({ action, route = "" }) {
  const path = String(route).split("?")[0];
  return audit.find((entry) => entry.action === action && matches(entry.route, path))?.permission;
}

function matches(pattern, path) {
  const source = pattern.replace(/\{\w+(?::([^}]+))?\}/g, (_, regex) => `(?:${regex ?? "[^/]+"})`);
  return new RegExp(`^${source}$`).test(path);
}

/* Messages and replies. */

async function send(json) {
  byId("json").value = json;
  const actors = [...stage.values()];
  const row = showRow(json, actors);
  await Promise.all(actors.map(async (actor) => {
    const cell = el("div", { class: "cell", "data-user": actor.player.name });
    cell.append(el("span", { class: "who" }, face(actor.player), actor.player.name), el("p", { class: "verdict" }, "…"));
    row.querySelector(".cells").append(cell);
    await actor.opened;
    fill(cell, await reply(actor, json));
  }));
  row.setAttribute("data-done", "");
  await refresh();
}

/** Messages are answered in order, so the next frame is the reply to the oldest message. */
function reply(actor, json) {
  return new Promise((resolve) => {
    if (actor.socket?.readyState !== WebSocket.OPEN) return resolve(null);
    actor.waiting.push(resolve);
    actor.socket.send(json);
  });
}

function showRow(json, actors) {
  sent += 1;
  let envelope = {};
  try { envelope = JSON.parse(json) ?? {}; } catch { /* shown unchanged */ }
  const { action = "(no action)", route = "" } = envelope;
  const asked = rule(envelope);
  const row = el("li", { class: "row", "data-action": action, "data-route": route, "data-number": sent, "data-cast": cast(actors) },
    el("div", { class: "said" }, el("b", {}, String(action)), el("code", {}, String(route)), el("i", {}, `#${sent}`)),
    el("p", { class: "rule" }, ...(asked ? ["asks for ", el("code", {}, asked)] : ["no action of the server's audit"])),
    el("pre", { class: "request" }, ...breakable(json)),
    el("div", { class: "cells" }));
  row.style.setProperty("--people", actors.length);
  const log = byId("log");
  log.prepend(row);
  while (log.children.length > ROWS) log.lastChild.remove();
  if (sent > 1 && matchMedia("(max-width: 900px)").matches) row.scrollIntoView({ behavior: "smooth" });
  return row;
}

const words = { 201: "created", 400: "bad request", 401: "log in first", 403: "refused", 404: "not found", 405: "unknown action", 408: "too slow", 409: "conflict" };

function fill(cell, raw) {
  const answer = raw === null ? { status: 0, errors: [{ detail: "The connection is closed." }] } : JSON.parse(raw);
  const { status, errors: [error] = [], data } = answer;
  const allowed = status >= 200 && status < 300;
  cell.dataset.status = status;
  cell.dataset.verdict = allowed ? "yes" : status === 403 ? "no" : "odd";
  const word = words[status] ?? (allowed ? "allowed" : "failed");
  const gist = error ? [error.field, error.detail].filter(Boolean).join(": ") : status === 204 ? "Done." : summary(data);
  cell.querySelector(".verdict").replaceChildren(el("b", {}, String(status)), word);
  cell.append(el("p", { class: "gist" }, gist), el("pre", { class: "raw", tabindex: "0" }, ...breakable(raw ?? "")));
}

/** The same text with possible line breaks. */
function breakable(json) {
  return json.split(/(?<=[,:{[])/).flatMap((part) => [part, el("wbr")]);
}

function summary(data) {
  if (data === null) return "Nobody.";
  if (Array.isArray(data)) return data.map((item) => item.name).join(", ") || "Nothing on this page.";
  if (typeof data !== "object") return String(data).split("\n")[0];
  if (data.messages) return `${data.room.name}, page ${data.page}: ${data.messages.length} messages`;
  if (data.text) return `${data.author}: “${data.text}”`;
  if (data.user) return `${name(data.user)}: ${standing(data)}`;
  return data.name ?? `No. ${data.id}`;
}

const name = (id) => players.find((player) => player.id === id)?.name ?? id;

/* The selected users. */

function standing({ role, banned }) {
  return `${role ?? "outsider"}${banned ? ", banned" : ""}`;
}

function part(player) {
  if (!player.id) return "not logged in";
  const place = player.places.find((place) => place.room === Number(fields.room.value));
  return player.admin ? "site admin" : standing(place ?? {});
}

function enter(player) {
  const actor = { player, state: "opening", waiting: [], socket: null };
  actor.opened = connect(actor).catch(() => { actor.state = "closed"; });
  stage.set(player.id, actor);
  return actor;
}

async function connect(actor) {
  let query = "";
  if (actor.player.id) {
    const login = await fetch(`/login/${actor.player.id}`, { method: "POST" });
    query = `?token=${await login.json()}`;
  }
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws${query}`);
  actor.socket = socket;
  socket.addEventListener("message", ({ data }) => actor.waiting.shift()?.(data));
  await new Promise((resolve) => {
    socket.addEventListener("open", () => { actor.state = "open"; resolve(); });
    socket.addEventListener("close", () => {
      actor.state = "closed";
      actor.waiting.splice(0).forEach((waiting) => waiting(null));
      resolve();
      showStage();
    });
  });
  showStage();
}

function toggle(player) {
  const actor = stage.get(player.id);
  if (actor) {
    stage.delete(player.id);
    actor.socket?.close();
  } else {
    enter(player);
  }
  showStage();
}

const cast = (actors) => actors.map(({ player }) => player.id).join();

function showCast() {
  byId("cast").replaceChildren(...players.map((player) => el("button",
    { type: "button", "data-user": player.name, "data-id": player.id, onclick: () => toggle(player) }, face(player), player.name)));
}

function showStage() {
  const actors = [...stage.values()].sort((a, b) => order(a) - order(b));
  stage.clear();
  actors.forEach((actor) => stage.set(actor.player.id, actor));
  for (const button of byId("cast").children) button.setAttribute("aria-pressed", stage.has(Number(button.dataset.id)));
  byId("heads").style.setProperty("--people", actors.length);
  byId("heads").replaceChildren(...actors.map(head));
  // Older rows name their users themselves, because the column heads have changed.
  for (const row of byId("log").children) row.classList.toggle("named", row.dataset.cast !== cast(actors));
}

const order = ({ player }) => players.findIndex(({ id }) => id === player.id);

function head(actor) {
  const about = el("div", {}, el("b", {}, actor.player.name));
  if (actor.state === "closed") about.append(el("button", { type: "button", onclick: () => { enter(actor.player); showStage(); } }, "reconnect"));
  else about.append(el("small", {}, actor.state === "open" ? part(actor.player) : "connecting …"));
  return el("div", { class: "head", "data-user": actor.player.name, "data-state": actor.state }, face(actor.player), about);
}

/** Updates the column heads, because roles and rooms may have changed. */
async function refresh() {
  const fresh = await (await fetch("/players")).json();
  players = [...fresh, { id: 0, name: "Anonymous" }];
  for (const actor of stage.values()) actor.player = players.find(({ id }) => id === actor.player.id) ?? actor.player;
  options(fields.room, fresh[0].places.map((place) => [place.room, `${place.room} ${place.name}`]));
  options(fields.person, fresh.map((player) => [player.id, player.name]));
  showStage();
}

function options(select, entries) {
  const chosen = select.value;
  select.replaceChildren(...entries.map(([value, label]) => el("option", { value }, label)));
  if (entries.some(([value]) => String(value) === chosen)) select.value = chosen;
}

async function start() {
  audit = await (await fetch("/audit")).json();
  byId("audit").replaceChildren(...audit.map((entry) => el("tr", {},
    el("td", {}, el("code", {}, entry.route || "–")), el("td", {}, entry.action), el("td", {}, el("code", {}, entry.permission)))));
  await refresh();
  showCast();
  fields.person.value = "3";
  showGroups();
  byId("fields").addEventListener("input", () => { showGroups(); showStage(); });
  byId("fields").addEventListener("submit", (event) => event.preventDefault());
  byId("free").addEventListener("submit", (event) => { event.preventDefault(); send(byId("json").value); });
  byId("json").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); send(byId("json").value); }
  });
  new IntersectionObserver(([desk]) => byId("back").toggleAttribute("hidden", desk.isIntersecting)).observe(byId("desk"));
  players.filter(({ name }) => ["Olive", "Max", "Mia", "Otto", "Anonymous"].includes(name)).forEach(enter);
  showStage();
  await send(request("read", groups[1][2].read));
}

start();
