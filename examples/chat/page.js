// The controls around the columns: the room, the selected users, and their actions.

import { call, enter, open, shut } from "./actor.js";
import { byId, desk, el, face, rooms, stage, state } from "./common.js";

const inRoom = (rest = "") => `rooms/${state.room}/${rest}`;
const one = () => inRoom(`members/${desk.person.value}/`);
const target = () => ({ users: [Number(desk.person.value)] });
const deeds = {
  join: () => [`channels/${state.room}/`],
  leave: () => [inRoom()],
  add: () => [inRoom("members/"), target()],
  remove: () => [inRoom("members/"), target()],
  promote: () => [one()],
  demote: () => [one()],
  grant: () => [one(), { permission: desk.single.value }],
  revoke: () => [one(), { permission: desk.single.value }],
  upload: () => [inRoom(), { file: desk.text.value }],
  rename: () => [inRoom("settings/"), { name: desk.text.value }],
  lock: () => [inRoom("settings/"), { locked: true }],
  unlock: () => [inRoom("settings/"), { locked: false }],
  archive: () => [inRoom("settings/"), { archived: true }],
  delete: () => [inRoom()],
  deactivate: () => ["", { user: Number(desk.person.value) }],
};

async function act(deed) {
  const actor = stage.get(Number(desk.actor.value));
  if (!actor) return;
  const [route, args] = deeds[deed]();
  const reply = await call(actor, deed === "unlock" ? "lock" : deed, route, args);
  actor.node.dataset.flash = reply.status < 300 ? "yes" : "no";
  setTimeout(() => delete actor.node.dataset.flash, 900);
  if (deed === "join" && reply.status === 200) await open(actor);
}

function title({ id, kind, name: called, locked, public: open, archived }) {
  const marks = [open && "public", locked && "locked", archived && "archived", kind].filter(Boolean);
  return `${called || `Conversation ${id}`} · ${marks.join(" ")}`;
}

export function showRooms() {
  const known = [...rooms.values()].sort((a, b) => a.id - b.id);
  byId("rooms").replaceChildren(...known.map((each) => el("button",
    { type: "button", "data-room": each.id, "aria-pressed": String(each.id === state.room), onclick: () => go(each.id) }, title(each))));
}

async function go(id) {
  state.room = id;
  showRooms();
  await Promise.all([...stage.values()].map((actor) => { shut(actor, "…"); return open(actor); }));
}

export function showStage() {
  const actors = [...stage.values()].sort((a, b) => a.person.id - b.person.id);
  byId("stage").style.setProperty("--people", actors.length);
  byId("stage").replaceChildren(...actors.map(({ node }) => node));
  for (const button of byId("cast").children) button.setAttribute("aria-pressed", String(stage.has(Number(button.dataset.id))));
  options(desk.actor, actors.map(({ person }) => person));
}

function toggle(person) {
  const actor = stage.get(person.id);
  if (!actor) return enter(person);
  stage.delete(person.id);
  actor.socket?.close();
  showStage();
}

function options(select, entries) {
  const chosen = select.value;
  select.replaceChildren(...entries.map(({ id, name: called }) => el("option", { value: id }, called)));
  if (entries.some(({ id }) => String(id) === chosen)) select.value = chosen;
}

async function start() {
  state.people = await (await fetch("/people")).json();
  byId("cast").replaceChildren(...state.people.map((person) => el("button",
    { type: "button", "data-user": person.name, "data-id": person.id, "aria-pressed": "false", onclick: () => toggle(person) }, face(person), person.name)));
  byId("deeds").replaceChildren(...Object.keys(deeds).map((deed) => el("button",
    { type: "button", "data-deed": deed, onclick: () => act(deed) }, deed === "delete" ? "delete room" : deed)));
  byId("desk").addEventListener("submit", (event) => event.preventDefault());
  options(desk.person, state.people);
  desk.person.value = "4";
  await Promise.all(state.people.slice(0, 5).map(enter));
  document.body.dataset.ready = "";
}

start();
