//! The arguments of a leaf. They must be plain values: an argument with a `return` or `?` would leave the generated check
//! and thereby decide its result. `{name}` in an argument stands for a capture of the route or, in a group, for a field.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprAsync, ExprClosure, ExprLit, Index, Item, Lit, Macro, Member, Result, Stmt};

use super::key_value::error_at;

/// Checks that the argument contains no jump such as `return`, `break` or `?`.
///
/// # Errors
///
/// Fails for the first jump. Jumps inside of closures, async blocks and items are allowed, since they do not leave the
/// check.
pub(super) fn reject_jumps(argument: &Expr) -> Result<()> {
    let mut jumps = JumpFinder(None);
    jumps.visit_expr_mut(&mut argument.clone());
    jumps.0.map_or(Ok(()), Err)
}

/// Returns the identifiers in the argument that may name parameters of the action. Called functions are left out, and so is
/// everything inside of blocks, closures, `if` and `match`, which may bind names.
pub(super) fn possible_parameters(argument: &Expr) -> Vec<Ident> {
    let mut candidates = PossibleParameters(Vec::new());
    candidates.visit_expr_mut(&mut argument.clone());
    candidates.0
}

/// Returns what the argument names in braces.
pub(super) fn placeholders(argument: &Expr) -> Vec<Member> {
    let mut found = Vec::new();
    replace_placeholders(&mut argument.clone(), &mut |placeholder| {
        found.push(placeholder);
        TokenStream::new()
    });
    found
}

/// Replaces each placeholder in the argument.
pub(crate) fn replace_placeholders(argument: &mut Expr, replacement: &mut dyn FnMut(Member) -> TokenStream) {
    PlaceholderReplacement(replacement).visit_expr_mut(argument);
}

struct PlaceholderReplacement<'r>(&'r mut dyn FnMut(Member) -> TokenStream);

impl VisitMut for PlaceholderReplacement<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Block(block) => {
                let found = placeholder(&block.block).filter(|_| block.attrs.is_empty() && block.label.is_none());
                if let Some(placeholder) = found {
                    *expr = Expr::Verbatim((self.0)(placeholder));
                }
            }
            // Their blocks are bodies, as in `|room| { room }`.
            Expr::Async(_) | Expr::Closure(_) | Expr::If(_) | Expr::Match(_) | Expr::Unsafe(_) => {}
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

/// Checks that each argument in braces is a placeholder. `arguments` are the tokens between the parentheses of the leaf.
///
/// # Errors
///
/// Fails for the first one that is not. A block would have no purpose as an argument.
pub(super) fn check_placeholders(arguments: TokenStream) -> Result<()> {
    let mut starts_argument = true;
    for token in arguments {
        if let TokenTree::Group(group) = &token {
            match group.delimiter() {
                Delimiter::Brace if starts_argument => check_placeholder(group)?,
                Delimiter::Parenthesis => check_placeholders(group.stream())?,
                _ => {}
            }
        }
        starts_argument = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
    }
    Ok(())
}

fn check_placeholder(group: &Group) -> Result<()> {
    let tokens: Vec<_> = group.stream().into_iter().collect();
    let is_name = |token: &TokenTree| matches!(token, TokenTree::Ident(_));
    let message = match tokens.as_slice() {
        [TokenTree::Ident(_)] => return Ok(()),
        [TokenTree::Literal(index)] if syn::parse_str::<Index>(&index.to_string()).is_ok() => return Ok(()),
        [] => "`{}` is empty; write the name of a capture, as in `{room_id}`".to_owned(),
        [TokenTree::Punct(star), name] if star.as_char() == '*' && is_name(name) => {
            format!("only the route marks the rest of a path; write `{{{name}}}` here")
        }
        [name, TokenTree::Punct(colon), ..] if colon.as_char() == ':' && is_name(name) => {
            format!("a capture is named here and described by the route; write `{{{name}}}`")
        }
        _ => "braces in an argument contain only the name of a capture, as in `{room_id}`; \
              write other values without braces"
            .to_owned(),
    };
    Err(error_at(group, message))
}

/// Returns the single name or index in the block.
fn placeholder(block: &Block) -> Option<Member> {
    match block.stmts.as_slice() {
        [Stmt::Expr(Expr::Path(path), None)] if path.qself.is_none() => {
            path.path.get_ident().cloned().map(Member::Named)
        }
        [Stmt::Expr(Expr::Lit(ExprLit { lit: Lit::Int(index), .. }), None)] => {
            syn::parse2(index.to_token_stream()).ok().map(Member::Unnamed)
        }
        _ => None,
    }
}

struct PossibleParameters(Vec<Ident>);

impl VisitMut for PossibleParameters {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Path(path) if path.qself.is_none() => self.0.extend(path.path.get_ident().cloned()),
            Expr::Call(call) => call.args.iter_mut().for_each(|argument| self.visit_expr_mut(argument)),
            Expr::Async(_) | Expr::Block(_) | Expr::Closure(_) | Expr::If(_) | Expr::Match(_) | Expr::Unsafe(_) => {}
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

/// The error for the first jump that was found.
struct JumpFinder(Option<syn::Error>);

impl JumpFinder {
    fn report(&mut self, tokens: impl ToTokens, jump: &str) {
        let message = format_args!(
            "`{jump}` in an argument would leave the permission check; \
             write a plain value, or call a function that returns one"
        );
        self.0.get_or_insert_with(|| error_at(tokens, message));
    }

    /// Searches the tokens of a macro call. Their expansion is unknown, so any token that may become a jump counts.
    fn visit_tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.visit_tokens(group.stream()),
                TokenTree::Punct(punct) if punct.as_char() == '?' => self.report(punct, "?"),
                TokenTree::Ident(ident) => match ident.to_string().as_str() {
                    jump @ ("return" | "break" | "continue") => self.report(&ident, jump),
                    "await" => self.report(&ident, ".await"),
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

impl VisitMut for JumpFinder {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Return(jump) => self.report(jump.return_token, "return"),
            Expr::Break(jump) => self.report(jump.break_token, "break"),
            Expr::Continue(jump) => self.report(jump.continue_token, "continue"),
            Expr::Try(jump) => self.report(jump.question_token, "?"),
            Expr::Await(jump) => self.report(jump.await_token, ".await"),
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        self.visit_tokens(call.tokens.clone());
    }

    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}

    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}

    fn visit_item_mut(&mut self, _: &mut Item) {}
}
