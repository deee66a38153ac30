-- Users, rooms, roles, messages and login sessions.
PRAGMA foreign_keys = ON;

CREATE TABLE IF NOT EXISTS users (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL,
    admin INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY,
    user  INTEGER NOT NULL REFERENCES users
);

CREATE TABLE IF NOT EXISTS rooms (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    name   TEXT NOT NULL,
    locked INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS roles (
    room INTEGER NOT NULL REFERENCES rooms,
    user INTEGER NOT NULL REFERENCES users,
    role TEXT NOT NULL CHECK (role IN ('member', 'moderator', 'owner')),
    PRIMARY KEY (room, user)
);

CREATE TABLE IF NOT EXISTS bans (
    room INTEGER NOT NULL REFERENCES rooms,
    user INTEGER NOT NULL REFERENCES users,
    PRIMARY KEY (room, user)
);

CREATE TABLE IF NOT EXISTS messages (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    room   INTEGER NOT NULL REFERENCES rooms,
    author INTEGER NOT NULL REFERENCES users,
    text   TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS messages_of_a_room ON messages (room, id);
