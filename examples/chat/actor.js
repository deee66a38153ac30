// One user: a socket, its frames, and their effect on the user's column.

import { name, rooms, stage, state } from "./common.js";
import { column, showHead, showMessages, showRefusal, showTyping, wire } from "./column.js";
import { showBroker, showRooms, showStage } from "./page.js";

export async function enter(person) {
  const actor = { person, waiting: new Map(), sent: 0, view: null, messages: [], typing: new Map(), rooms: [], ...column(person) };
  stage.set(person.id, actor);
  showStage();
  shut(actor, "…");
  const token = await (await fetch(`/login/${person.id}`, { method: "POST" })).json();
  actor.socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws?token=${token}`);
  actor.socket.addEventListener("message", ({ data }) => receive(actor, data));
  await new Promise((resolve) => {
    actor.socket.addEventListener("open", resolve);
    actor.socket.addEventListener("close", ({ code }) => { resolve(); closed(actor, code); });
  });
  showBroker(await (await fetch("/broker")).json());
  await loadRooms(actor);
  await open(actor);
}

/** Shows the rooms that the users are in, and the one that is open. */
async function loadRooms(actor) {
  actor.rooms = (await call(actor, "my_rooms")).data ?? [];
  const known = [...stage.values()].flatMap((other) => other.rooms);
  const opened = rooms.get(state.room);
  rooms.clear();
  for (const each of [...(opened ? [opened] : []), ...known]) rooms.set(each.id, each);
  showRooms();
}

function closed(actor, code) {
  actor.waiting.forEach((resolve) => resolve({ status: 0, errors: [{ detail: "closed" }] }));
  actor.waiting.clear();
  wire(actor, "no", `closed with ${code}`);
  shut(actor, code === 4403 ? "The server closed this socket: access was taken away." : `Closed (${code}).`);
}

/** Sends a message and returns its reply. */
export function call(actor, action, route = "", args = {}) {
  if (actor.socket.readyState !== WebSocket.OPEN) return Promise.resolve({ status: 0, errors: [{ detail: "closed" }] });
  const request_id = ++actor.sent;
  actor.socket.send(JSON.stringify({ action, ...(route && { route }), ...args, request_id }));
  return new Promise((resolve) => actor.waiting.set(request_id, resolve));
}

function receive(actor, data) {
  const frame = JSON.parse(data);
  if (frame.event) {
    wire(actor, "event", frame.event, data);
    events[frame.event]?.(actor, frame.data);
    return;
  }
  const allowed = frame.status < 300;
  wire(actor, allowed ? "yes" : "no", `${frame.status} ${frame.action}`, data);
  showRefusal(actor, frame);
  actor.waiting.get(frame.request_id)?.(frame);
  actor.waiting.delete(frame.request_id);
}

/** Applies an event to the column of its subscriber. */
const events = {
  message_created: (actor, message) => { actor.typing.delete(message.author); put(actor, message); },
  message_edited: (actor, message) => put(actor, message),
  message_deleted: (actor, { room: of, message: id }) => {
    const gone = actor.messages.find((message) => message.id === id);
    if (of === state.room && gone) { Object.assign(gone, { deleted: true, text: "" }); showMessages(actor); }
  },
  message_seen: (actor, { room: of, user, message }) => {
    const member = of === state.room && actor.view?.members.find((each) => each.user === user);
    if (member) { member.seen = Math.max(member.seen, message); showMessages(actor); }
  },
  typing: (actor, { room: of, user }) => {
    if (of !== state.room) return;
    actor.typing.set(user, Date.now());
    showTyping(actor);
    setTimeout(() => showTyping(actor), 3100);
  },
  member_added: (actor, { room: of }) => of === state.room && open(actor),
  member_removed: (actor, { room: of }) => of === state.room && reread(actor),
  role_changed: (actor, { room: of }) => of === state.room && reread(actor),
  room_changed: (actor, changed) => { rooms.set(changed.id, changed); showRooms(); if (changed.id === state.room) reread(actor); },
  // Not all users at the same moment.
  room_outdated: (actor, { room: of }) => {
    clearTimeout(actor.resync);
    actor.resync = setTimeout(() => of === state.room && open(actor), Math.random() * 1000);
  },
  rooms_outdated: (actor) => loadRooms(actor),
  broker_changed: (actor, { is_connected }) => showBroker(is_connected),
  room_left: (actor, { room: of }) => of === state.room && shut(actor, "No longer in this room."),
  room_deleted: (actor, { room: of }) => { rooms.delete(of); showRooms(); if (of === state.room) shut(actor, "This room is no more."); },
  upload_created: (actor, { room: of, user, file }) => {
    if (of === state.room) { actor.messages.push({ note: `${name(user)} uploaded ${file}` }); showMessages(actor); }
  },
};

/** Opens the room for a user, or shows that access is refused. */
export async function open(actor) {
  const asked = state.room;
  const { status, data } = await call(actor, "enter", `rooms/${asked}/`);
  if (asked !== state.room) return;
  if (status !== 200) return shut(actor, `${status}: this user may not read the room.`);
  const { data: messages } = await call(actor, "read_messages", `rooms/${asked}/`);
  if (asked !== state.room) return;
  // Those that have come since the page was read stay.
  const read = messages?.messages ?? [];
  const newer = actor.messages.filter(({ id }) => id > (read.at(-1)?.id ?? 0));
  Object.assign(actor, { view: data, messages: [...read, ...newer], page: 1, pages: messages?.pages ?? 1 });
  rooms.set(data.id, data);
  actor.node.dataset.state = "open";
  showRooms();
  showHead(actor);
  showMessages(actor);
}

/** Reads the page before the oldest message that is shown. */
export async function readOlder(actor) {
  const asked = state.room;
  const { status, data } = await call(actor, "read_messages", `rooms/${asked}/?page=${actor.page + 1}`);
  if (status !== 200 || asked !== state.room) return;
  const known = new Set(actor.messages.map(({ id }) => id));
  actor.messages.unshift(...data.messages.filter(({ id }) => !known.has(id)));
  Object.assign(actor, { page: data.page, pages: data.pages });
  showMessages(actor);
}

async function reread(actor) {
  const { status, data } = await call(actor, "read_room", `rooms/${state.room}/`);
  if (status === 200 && data.id === state.room) { actor.view = data; showHead(actor); }
}

export function shut(actor, why) {
  Object.assign(actor, { view: null, messages: [], why });
  actor.typing.clear();
  actor.node.dataset.state = "shut";
  showHead(actor);
  showMessages(actor);
  showTyping(actor);
}

function put(actor, message) {
  if (message.room !== state.room) return;
  const at = actor.messages.findIndex(({ id }) => id === message.id);
  if (at < 0) actor.messages.push(message);
  else actor.messages[at] = message;
  showMessages(actor);
  showTyping(actor);
}
