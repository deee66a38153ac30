// Shared by all parts of the page: the current room, the users, and a helper to create elements.

export const byId = (id) => document.getElementById(id);
export const desk = byId("desk").elements;
/** The selected users, by id. */
export const stage = new Map();
/** Known rooms, from the replies to any user. */
export const rooms = new Map();
export const state = { room: 1, people: [], audit: [] };

const hues = ["#6d6a66", "#2f7d4f", "#2a6f97", "#8a4f9e", "#b4622d", "#8d3b3b", "#3d4fa8", "#51652b"];

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  // Text from the server is inserted as text, never as markup.
  node.append(...children);
  return node;
}

export const name = (id) => state.people.find((person) => person.id === id)?.name ?? `No. ${id}`;

export function face(person) {
  const node = el("span", { class: "face", "aria-hidden": "true" }, person.name[0]);
  node.style.setProperty("--hue", hues[person.id % hues.length]);
  return node;
}
