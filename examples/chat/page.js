// The controls around the columns: the room, the selected users, and their actions.

import { call, enter, open, shut } from "./actor.js";
import { byId, desk, el, face, rooms, stage, state } from "./common.js";

const inRoom = (rest = "") => `rooms/${state.room}/${rest}`;
const one = () => inRoom(`members/${desk.person.value}/`);
const target = () => ({ users: [Number(desk.person.value)] });
// Each deed: its group of buttons, the fields that it uses, and the route and arguments of its message.
const deeds = {
  join: { group: "Membership", message: () => [`channels/${state.room}/`] },
  leave: { group: "Membership", message: () => [inRoom()] },
  add: { group: "Membership", uses: ["person"], message: () => [inRoom("members/"), target()] },
  remove: { group: "Membership", uses: ["person"], message: () => [inRoom("members/"), target()] },
  promote: { group: "Rights", uses: ["person"], message: () => [one()] },
  demote: { group: "Rights", uses: ["person"], message: () => [one()] },
  grant: { group: "Rights", uses: ["person", "single"], message: () => [one(), { permission: desk.single.value }] },
  revoke: { group: "Rights", uses: ["person", "single"], message: () => [one(), { permission: desk.single.value }] },
  upload: { group: "Room", uses: ["text"], message: () => [inRoom(), { file: desk.text.value }] },
  rename: { group: "Room", uses: ["text"], message: () => [inRoom("settings/"), { name: desk.text.value }] },
  lock: { group: "Room", message: () => [inRoom("settings/"), { locked: true }] },
  unlock: { group: "Room", action: "lock", message: () => [inRoom("settings/"), { locked: false }] },
  archive: { group: "Room", danger: "An archived room is read-only.", message: () => [inRoom("settings/"), { archived: true }] },
  restore: { group: "Room", action: "archive", message: () => [inRoom("settings/"), { archived: false }] },
  delete: { group: "Room", label: "delete room", danger: "The room and its messages are deleted for all members.", message: () => [inRoom()] },
  deactivate: { group: "Site", uses: ["person"], danger: "The account is closed for good.", message: () => ["", { user: Number(desk.person.value) }] },
};

/** Asks before a deed that cannot be taken back, or that all members feel. */
function confirmed(actor, deed) {
  const { danger, label = deed, uses = [] } = deeds[deed];
  if (!danger) return Promise.resolve(true);
  const dialog = byId("confirm");
  const whom = uses.includes("person") ? ` ${desk.person.selectedOptions[0].text}` : "";
  byId("question").textContent = `${label}${whom}, as ${actor.person.name}?`;
  byId("consequence").textContent = danger;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

async function act(deed) {
  const actor = stage.get(Number(desk.actor.value));
  if (!actor || !await confirmed(actor, deed)) return;
  const { action = deed, message } = deeds[deed];
  const [route, args] = message();
  const reply = await call(actor, action, route, args);
  actor.node.dataset.flash = reply.status < 300 ? "yes" : "no";
  setTimeout(() => delete actor.node.dataset.flash, 900);
  if (deed === "join" && reply.status === 200) await open(actor);
}

/** Marks the fields that a deed uses, while its button has the pointer or the focus. */
function showUses(deed) {
  for (const name of ["person", "single", "text"]) desk[name].closest("label").toggleAttribute("data-used", !!deeds[deed]?.uses?.includes(name));
}

function deedButton(deed) {
  const { label = deed, danger, uses = [] } = deeds[deed];
  const titles = { person: "To whom", single: "Single permission", text: "Text" };
  const hint = uses.length ? `Uses ${uses.map((name) => `“${titles[name]}”`).join(" and ")}` : "Uses the open room";
  const [show, hide] = [() => showUses(deed), () => showUses()];
  return el("button", { type: "button", "data-deed": deed, "data-danger": !!danger, title: hint,
    onclick: () => act(deed), onpointerenter: show, onpointerleave: hide, onfocus: show, onblur: hide }, label);
}

function deedGroups() {
  const groups = [...new Set(Object.values(deeds).map(({ group }) => group))];
  return groups.map((group) => el("div", { class: "group", role: "group", "aria-label": group }, el("span", {}, group),
    ...Object.keys(deeds).filter((deed) => deeds[deed].group === group).map(deedButton)));
}

/** Shows the permission of every action, group and event, as the server evaluates it. */
async function showAudit() {
  state.audit = (await (await fetch("/audit")).json()).map((row) => ({ ...row, route: row.route ?? "" }));
  byId("audit").replaceChildren(...state.audit.map(({ route, action, permission }) =>
    el("tr", {}, el("td", {}, action), el("td", {}, route || "–"), el("td", {}, el("code", {}, permission)))));
}

function title({ id, kind, name: called, locked, public: open, archived }) {
  const marks = [kind, open && "public", locked && "locked", archived && "archived"].filter(Boolean);
  return [el("b", {}, called || `Conversation ${id}`), el("small", {}, marks.join(" · "))];
}

export function showRooms() {
  const known = [...rooms.values()].sort((a, b) => a.id - b.id);
  byId("rooms").replaceChildren(...known.map((each) => el("button",
    { type: "button", "data-room": each.id, "aria-pressed": String(each.id === state.room), onclick: () => go(each.id) }, ...title(each))));
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

/** Shows that other processes cannot be heard. `null` if there are none. */
export function showBroker(connected) {
  byId("broker").hidden = connected !== false;
}

async function start() {
  state.people = await (await fetch("/people")).json();
  byId("cast").replaceChildren(...state.people.map((person) => el("button",
    { type: "button", "data-user": person.name, "data-id": person.id, "aria-pressed": "false", onclick: () => toggle(person) }, face(person), person.name)));
  byId("deeds").replaceChildren(...deedGroups());
  await showAudit();
  byId("desk").addEventListener("submit", (event) => event.preventDefault());
  options(desk.person, state.people);
  desk.person.value = "4";
  await Promise.all(state.people.slice(0, 5).map(enter));
  document.body.dataset.ready = "";
}

start();
