//! The arguments of a leaf are values: one that jumps out of the generated check would decide in its place.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprAsync, ExprClosure, Item, Macro, Result};

use super::key_value::refuse;

/// Refuses an argument that does not run to its end where it stands.
pub(super) fn stays(argument: &Expr) -> Result<()> {
    let mut jumps = Jumps(None);
    jumps.visit_expr_mut(&mut argument.clone());
    jumps.0.map_or(Ok(()), Err)
}

/// The words in it that could name parameters: alone, and neither called nor bound in there.
pub(super) fn words(argument: &Expr) -> Vec<Ident> {
    let mut words = Words(Vec::new());
    words.visit_expr_mut(&mut argument.clone());
    words.0
}

struct Words(Vec<Ident>);

impl VisitMut for Words {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Path(path) if path.qself.is_none() => self.0.extend(path.path.get_ident().cloned()),
            Expr::Call(call) => call.args.iter_mut().for_each(|argument| self.visit_expr_mut(argument)),
            Expr::Async(_) | Expr::Block(_) | Expr::Closure(_) | Expr::If(_) | Expr::Match(_) | Expr::Unsafe(_) => {}
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

/// The first jump; what closures, async blocks and items hold is their own.
struct Jumps(Option<syn::Error>);

impl Jumps {
    fn found(&mut self, at: impl ToTokens, word: &str) {
        let message = format_args!(
            "`{word}` would leave the check that this argument is for; write a plain value, or the call of a function that gives one"
        );
        self.0.get_or_insert_with(|| refuse(at, message));
    }

    /// Nobody knows what a macro makes of its tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Punct(punct) if punct.as_char() == '?' => self.found(punct, "?"),
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    jump @ ("return" | "break" | "continue") => self.found(&word, jump),
                    "await" => self.found(&word, ".await"),
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

impl VisitMut for Jumps {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Return(jump) => self.found(jump.return_token, "return"),
            Expr::Break(jump) => self.found(jump.break_token, "break"),
            Expr::Continue(jump) => self.found(jump.continue_token, "continue"),
            Expr::Try(jump) => self.found(jump.question_token, "?"),
            Expr::Await(jump) => self.found(jump.await_token, ".await"),
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_macro_mut(&mut self, written: &mut Macro) {
        self.tokens(written.tokens.clone());
    }

    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}

    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
