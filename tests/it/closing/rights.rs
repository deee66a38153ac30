//! A change of rights while the reply of a closing action waits.

use portcullis::{ConnectContext, GroupPermission, Scope};

use super::*;

/// Whose connect permission fails, whose group refuses and whose action cannot be authorized once `is_denied` is set.
struct Parlor(Arc<Progress>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Parlor, permission = UnlessDenied, publish = AllowAny, events(Said))]
struct Table;

struct UnlessDenied;

impl GroupPermission<Table, Parlor> for UnlessDenied {
    async fn may_join(&self, parlor: &Parlor, _: &Scope<Member>, _: &Table) -> Result<bool> {
        Ok(!parlor.0.is_denied.load(Ordering::SeqCst))
    }
}

struct FailsIfDenied;

impl Permission<Parlor> for FailsIfDenied {
    async fn has_permission(&self, _: &Parlor, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(true)
    }

    async fn can_connect(&self, parlor: &Parlor, _: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        if parlor.0.is_denied.load(Ordering::SeqCst) {
            return Err(Error::internal("the database is gone"));
        }
        Ok(Some(true))
    }
}

struct HangsIfDenied;

impl Permission<Parlor> for HangsIfDenied {
    async fn has_permission(&self, parlor: &Parlor, _: &PermissionContext<'_, Member>) -> Result<bool> {
        if parlor.0.is_denied.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(true)
    }
}

#[consumer(user = Member, connect = FailsIfDenied)]
impl Parlor {
    #[disconnect]
    async fn disconnect(&self) {
        self.0.disconnected.notify_one();
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &str {
        &event.0
    }

    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Table).await
    }

    #[action(permission = HangsIfDenied)]
    async fn quit(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")?;
        self.0.wait().await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn no_event_is_delivered_on_old_rights_while_a_reply_is_reauthorized() {
    let (state, _) = lounge();
    let limits = Limits { action_timeout: Duration::from_secs(5), ..without_heartbeat() };
    let parlor = portcullis::websocket(Parlor(state.clone())).limits(limits);
    let mut client = connect(&parlor).user(member(1, &[])).open().await.unwrap();
    assert_eq!(client.call("enter").await.status(), 200);
    client.send(message("quit"));
    state.started(1).await;
    state.is_denied.store(true, Ordering::SeqCst);
    assert!(parlor.connections().refresh_user("1").await.is_acknowledged());
    parlor.publisher().publish(&Table, Said("secret".to_owned()));
    state.resume(1);
    // Neither the connect permission nor the action can be evaluated until the action timeout.
    state.disconnected.notified().await;
    assert_eq!(parlor.publisher().counters().delivered, 0);
}
