// A part of the expression is commented out, which no one would see in a string.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = "IsAuthenticated // & Owner")]
    async fn list(&self) {}

    #[action(permission = "IsAuthenticated /* & Owner */")]
    async fn edit(&self) {}

    #[action(permission = IsAuthenticated /* in the code, a comment is one */)]
    async fn ping(&self) {}
}

fn main() {}
