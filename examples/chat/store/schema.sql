-- Users, rooms, memberships, messages and grants.

CREATE TABLE IF NOT EXISTS users (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY,
    user  INTEGER NOT NULL REFERENCES users
);

CREATE TABLE IF NOT EXISTS rooms (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL CHECK (kind IN ('private', 'group', 'channel')),
    name     TEXT NOT NULL,
    locked   INTEGER NOT NULL DEFAULT 0,
    public   INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS members (
    room           INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user           INTEGER NOT NULL REFERENCES users,
    role           TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin', 'creator')),
    post           INTEGER NOT NULL DEFAULT 0,
    add_members    INTEGER NOT NULL DEFAULT 0,
    remove_members INTEGER NOT NULL DEFAULT 0,
    seen           INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, user)
);

CREATE TABLE IF NOT EXISTS messages (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    room      INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    author    INTEGER NOT NULL REFERENCES users,
    text      TEXT NOT NULL,
    reply_to  INTEGER,
    forwarded INTEGER NOT NULL DEFAULT 0,
    edited    INTEGER NOT NULL DEFAULT 0,
    deleted   INTEGER NOT NULL DEFAULT 0,
    at        TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX IF NOT EXISTS messages_of_a_room ON messages (room, id);

-- The number of messages that a user has sent per day, whatever has become of them since.
CREATE TABLE IF NOT EXISTS sent (
    user  INTEGER NOT NULL REFERENCES users,
    day   TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (user, day)
);

CREATE TABLE IF NOT EXISTS reactions (
    message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    user    INTEGER NOT NULL REFERENCES users,
    emoji   TEXT NOT NULL,
    PRIMARY KEY (message, user)
);

CREATE TABLE IF NOT EXISTS uploads (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user INTEGER NOT NULL REFERENCES users,
    file TEXT NOT NULL
);

-- The roles of users on the site, and the codenames of each role.
CREATE TABLE IF NOT EXISTS roles (
    user INTEGER NOT NULL REFERENCES users,
    role TEXT NOT NULL,
    PRIMARY KEY (user, role)
);

CREATE TABLE IF NOT EXISTS role_grants (
    role     TEXT NOT NULL,
    codename TEXT NOT NULL,
    PRIMARY KEY (role, codename)
);

-- The overwrites of rooms: for everyone, for a role, or for one member.
CREATE TABLE IF NOT EXISTS overwrites (
    room     INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
    subject  TEXT NOT NULL CHECK (subject IN ('everyone', 'role', 'member')),
    name     TEXT NOT NULL DEFAULT '',
    codename TEXT NOT NULL,
    allowed  INTEGER NOT NULL,
    PRIMARY KEY (room, subject, name, codename)
);
