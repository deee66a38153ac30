//! Events: shared and personal frames, permissions that name a field of the event, and coalescing keys.

#[consumer(user = Member, permission = AllowAny)]
impl Chat {
    #[action]
    fn ping(&self) {}

    #[event(permission = "uploads.read(channel) & !Muted(5) | chat.can_moderate_chat")]
    fn upload_created<'e>(&self, event: &'e UploadCreated) -> UploadView<'e> {
        UploadView::of(event)
    }

    #[cfg(feature = "typing")]
    #[event(permission = AllowAny, name = "message.typing", key = "by")]
    fn typing(&self, event: &events::Typing, scope: &Scope<Member>) -> Option<Typing> {
        (scope.user() != Some(&event.by)).then(|| event.shown())
    }
}

#[consumer]
impl<P: Policy> Feed<P> {
    #[action(permission = AllowAny)]
    fn ping(&self) {}

    #[event(permission = May<P>, key = 0)]
    fn r#yield(&self, event: &Changed<P>) -> View {
        self.policy.view(event)
    }
}
