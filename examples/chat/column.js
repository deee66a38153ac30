// A user's column: role, messages, typing users, and the last frames as received.

import { call, readOlder } from "./actor.js";
import { desk, el, face, name, stage, state } from "./common.js";

const WIRE = 30;

export function column(person) {
  const parts = { head: el("header"), list: el("ol", { class: "messages" }), hint: el("p", { class: "typing" }), refusal: el("p", { class: "refusal", role: "status" }), frames: el("ol", { class: "wire" }) };
  const input = el("input", { "aria-label": `${person.name} writes`, placeholder: "Write …" });
  const form = el("form", { class: "write" }, input, el("button", { type: "submit" }, "Send"));
  const node = el("section", { class: "column", "data-user": person.name, "data-state": "shut" }, parts.head, parts.list, parts.hint, form, parts.refusal, parts.frames);
  let lastTypingAt = 0;
  input.addEventListener("input", () => {
    if (Date.now() - lastTypingAt < 2000) return;
    lastTypingAt = Date.now();
    call(stage.get(person.id), "typing", `rooms/${state.room}/`);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const actor = stage.get(person.id);
    const text = input.value;
    const { status } = await call(actor, "send", `rooms/${state.room}/`, { text, ...(actor.answers && { reply_to: actor.answers }) });
    if (status === 201) { input.value = ""; actor.answers = null; input.placeholder = "Write …"; lastTypingAt = 0; }
  });
  return { ...parts, input, node };
}

export function showHead(actor) {
  const mine = actor.view?.members.find(({ user }) => user === actor.person.id);
  const standing = actor.why === "…" && !actor.view ? "connecting" : !mine ? "not in this room" : [mine.role, ...mine.may.map((single) => single.replace("_", " "))].join(" · ");
  actor.head.replaceChildren(face(actor.person), el("div", {}, el("b", {}, actor.person.name), el("small", {}, standing)));
}

export function showMessages(actor) {
  const items = actor.view ? actor.messages.map((message) => item(actor, message)) : [el("li", { class: "shut" }, actor.why ?? "…")];
  if (actor.view && !items.length) items.push(el("li", { class: "note" }, "No messages yet."));
  if (actor.view && actor.page < actor.pages) items.unshift(el("li", { class: "older" }, el("button", { type: "button", onclick: () => readOlder(actor) }, "Older messages")));
  actor.list.replaceChildren(...items);
  actor.list.scrollTop = actor.list.scrollHeight;
}

function item(actor, message) {
  if (message.note) return el("li", { class: "note" }, message.note);
  const route = `rooms/${message.room}/messages/${message.id}/`;
  const deed = (label, hint, act) => el("button", { type: "button", title: hint, "data-deed": hint, onclick: act }, label);
  const answered = actor.messages.find(({ id }) => id === message.reply_to);
  const marks = [clock(message.at), message.forwarded && "forwarded", message.edited && "edited"].filter(Boolean).join(", ");
  const mine = message.reactions.some(({ users }) => users.includes(actor.person.id));
  const readers = actor.view.members.filter(({ user, seen }) => seen >= message.id && user !== message.author);
  return el("li", { "data-message": message.id, "data-own": message.author === actor.person.id },
    el("b", {}, message.name), marks && el("i", {}, ` ${marks}`),
    answered ? el("q", {}, answered.deleted ? "deleted" : answered.text) : "",
    el("p", { class: message.deleted ? "deleted" : "" }, message.deleted ? "deleted" : message.text),
    ...message.reactions.map(({ emoji, users }) => el("span", { class: "reactions", title: users.map(name).join(", ") }, `${emoji} ${users.map(name).join(", ")}`)),
    readers.length ? el("span", { class: "seen" }, `seen by ${readers.map(({ user }) => name(user)).join(", ")}`) : "",
    message.deleted ? "" : el("span", { class: "deeds" },
      deed("↩", "reply", () => { actor.answers = message.id; actor.input.placeholder = `Answer ${message.name} …`; actor.input.focus(); }),
      mine ? deed("♡", "unreact", () => call(actor, "unreact", route)) : deed("♥", "react", () => call(actor, "react", route, { emoji: "♥" })),
      deed("✓", "acknowledge", () => call(actor, "acknowledge", route)),
      deed("✎", "edit", () => call(actor, "edit", route, { text: desk.text.value })),
      deed("✕", "delete", () => call(actor, "delete", route))));
}

export function showTyping(actor) {
  for (const [user, at] of actor.typing) if (Date.now() - at > 3000) actor.typing.delete(user);
  const names = [...actor.typing.keys()].map(name);
  actor.hint.textContent = names.length ? `${names.join(", ")} ${names.length > 1 ? "are" : "is"} typing …` : "";
}

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** Shows which expression has refused a message, or clears that after a message that was not refused. */
export function showRefusal(actor, { status, action, route = "" }) {
  const row = status === 403 && state.audit.find((each) => each.action === action && pattern(each.route).test(route.split("?")[0]));
  actor.refusal.replaceChildren(...(row ? [`${action} needs `, el("code", {}, row.permission)] : []));
  actor.refusal.title = row ? row.permission : "";
}

/** The regular expression of a route pattern, such as `rooms/{room_id:[0-9]+}/`. */
function pattern(route) {
  const parts = route.split(/\{(?:\*?\w+)(?::([^}]*))?\}/);
  const source = parts.map((part, at) => at % 2 ? part ?? "[^/]+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join("")}$`);
}

/** The last frames, as received. */
export function wire(actor, kind, text, raw = text) {
  actor.frames.prepend(el("li", { "data-kind": kind, title: raw }, text));
  while (actor.frames.children.length > WIRE) actor.frames.lastChild.remove();
}
