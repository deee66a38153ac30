//! Events: one that is the same for all, one that is made for each, and what is asked about an event's field.

#[consumer(user = Member, permission = AllowAny)]
impl Chat {
    #[action]
    fn ping(&self) {}

    #[event(permission = "uploads.read(channel) & !Muted(5) | chat.can_moderate_chat")]
    fn upload_created<'e>(&self, event: &'e UploadCreated) -> UploadView<'e> {
        UploadView::of(event)
    }

    #[cfg(feature = "typing")]
    #[event(permission = AllowAny, name = "message.typing")]
    fn typing(&self, event: &events::Typing, scope: &Scope<Member>) -> Option<Typing> {
        (scope.user() != Some(&event.by)).then(|| event.shown())
    }
}

#[consumer]
impl<P: Policy> Feed<P> {
    #[action(permission = AllowAny)]
    fn ping(&self) {}

    #[event(permission = May<P>)]
    fn r#yield(&self, event: &Changed<P>) -> View {
        self.policy.view(event)
    }
}
