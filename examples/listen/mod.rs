//! Opens the port of an example.

use std::io;

use tokio::net::TcpListener;

/// Listens on an address. The error names the address, and the option by which another one is chosen.
pub(crate) async fn listen(address: &str, option: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| io::Error::new(error.kind(), format!("{error}: {address}; use `{option}`")))
}
