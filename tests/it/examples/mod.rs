//! The examples as processes: what they print, what their servers reply, and their pages in a browser.

mod chat_page;
mod header_timeout;
#[cfg(target_os = "linux")]
mod load;
mod logins;
mod rooms_page;
#[cfg(unix)]
mod shutdown;
mod small;
