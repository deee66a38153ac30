-- The initial data of the demo. `reset` runs this again; users and login sessions stay.
BEGIN;

INSERT OR IGNORE INTO users (id, name, admin) VALUES
    (1, 'Olive', 0),
    (2, 'Max', 0),
    (3, 'Mia', 0),
    (4, 'Otto', 0),
    (5, 'Bruno', 0),
    (6, 'Ada', 1);

DELETE FROM messages;
DELETE FROM bans;
DELETE FROM roles;
DELETE FROM rooms;

INSERT INTO rooms (id, name, locked) VALUES
    (1, 'Garden', 0),
    (2, 'Workshop', 0),
    (3, 'Attic', 1),
    (4, 'Library', 0),
    (5, 'Cellar', 0),
    (6, 'Tower', 0);

INSERT INTO roles (room, user, role) VALUES
    (1, 1, 'owner'), (1, 2, 'moderator'), (1, 3, 'member'), (1, 5, 'member'),
    (2, 4, 'owner'), (2, 1, 'member'),
    (3, 2, 'owner'), (3, 3, 'member'),
    (4, 1, 'owner'),
    (5, 5, 'owner'), (5, 4, 'moderator'),
    (6, 3, 'owner');

INSERT INTO bans (room, user) VALUES (1, 5);

INSERT INTO messages (id, room, author, text) VALUES
    (1, 1, 1, 'Welcome to the garden. Please close the gate behind you.'),
    (2, 1, 2, 'The roses are cut. Nobody lean on the trellis before Sunday.'),
    (3, 1, 3, 'May I plant beans along the south wall?'),
    (4, 1, 1, 'You may. Leave room for the fig.'),
    (5, 1, 5, 'WHO MOVED MY GNOME'),
    (6, 1, 2, 'It is in the shed, Bruno. So is the warning you were given.'),
    (7, 1, 3, 'Beans are in!'),
    (8, 2, 4, 'The lathe is free on Tuesdays.'),
    (9, 2, 1, 'Then I will come on Tuesday.'),
    (10, 3, 2, 'Locked for the winter.'),
    (11, 4, 1, 'Overdue: one book about gates.'),
    (12, 5, 5, 'At least here I am the owner.'),
    (13, 6, 3, 'The view is worth the stairs.');

COMMIT;
