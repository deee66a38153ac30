//! Rates: of the calls of one action by one user, and of the messages of one connection.

mod actions;
mod builtins;
mod messages;
