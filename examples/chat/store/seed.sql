-- The initial data of the chat.

INSERT INTO users (id, name) VALUES
    (1, 'Cora'), (2, 'Ada'), (3, 'Pia'), (4, 'Mia'), (5, 'Otto'), (6, 'Mo'), (7, 'Sam'), (8, 'Root');

INSERT INTO rooms (id, kind, name, public) VALUES
    (1, 'group', 'Garden', 0),
    (2, 'channel', 'News', 1),
    (3, 'private', '', 0),
    (4, 'channel', 'Backstage', 0);

-- Cora is the creator of the rooms, Ada an admin, Pia has every single permission, Mia is a member, Otto is not.
INSERT INTO members (room, user, role, post, add_members, remove_members) VALUES
    (1, 1, 'creator', 0, 0, 0), (1, 2, 'admin', 0, 0, 0), (1, 3, 'member', 1, 1, 1), (1, 4, 'member', 0, 0, 0),
    (2, 1, 'creator', 0, 0, 0), (2, 2, 'admin', 0, 0, 0), (2, 3, 'member', 1, 1, 1), (2, 4, 'member', 0, 0, 0),
    (4, 1, 'creator', 0, 0, 0), (4, 2, 'admin', 0, 0, 0), (4, 3, 'member', 1, 1, 1), (4, 4, 'member', 0, 0, 0),
    -- In a private conversation, both users are creators.
    (3, 1, 'creator', 0, 0, 0), (3, 4, 'creator', 0, 0, 0);

INSERT INTO messages (id, room, author, text) VALUES
    (1, 1, 1, 'Welcome to the garden.'),
    (2, 1, 4, 'May I plant beans along the south wall?'),
    (3, 2, 1, 'The gate opens at nine.'),
    (4, 3, 1, 'Between us: the surprise is on Sunday.'),
    (5, 3, 4, 'Not a word to Otto.'),
    (6, 4, 1, 'Props are in the shed.');

INSERT INTO sent (user, day, count) SELECT author, date('now'), count(*) FROM messages GROUP BY author;

-- Mo is in no room, and may moderate every room that he joins. Sam is staff. Root administrates the site.
INSERT INTO roles (user, role) SELECT id, 'user' FROM users;
INSERT INTO roles (user, role) VALUES (6, 'moderator'), (7, 'staff'), (8, 'administrator');

INSERT INTO role_grants (role, codename) VALUES
    ('user', 'uploads.read'),
    ('moderator', 'chat.can_moderate_chat'),
    ('staff', 'accounts.deactivate');

-- Only moderators and Ada see the uploads of Backstage.
INSERT INTO overwrites (room, subject, name, codename, allowed) VALUES
    (4, 'everyone', '', 'uploads.read', 0),
    (4, 'role', 'moderator', 'uploads.read', 1),
    (4, 'member', '2', 'uploads.read', 1);

