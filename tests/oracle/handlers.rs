//! One handler type whose descriptors are built while the test runs, and whose calls evaluate as generated code does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use portcullis::__private::{
    ActionDescriptor, ActionFn, Authorized, Call, ConnectContext, Consumer, ConsumerBlock, Expr, Expression,
    HandlerDescriptor, HandlerOrConsumerBlock as Dispatch, Pattern, Regex, Reply, Result, RouteDescriptor,
    Segment as Row, Traversal, check_execution, evaluate, evaluate_connect, evaluate_strict_connect, unknown_leaf,
    unknown_route,
};
use portcullis::{Permission, PermissionContext};

use crate::case::{Case, Leaf, Level, Route, Segment, Tree, capture};
use crate::script::{Member, Script, captures, seen};
use crate::trace::{Captures, Place, Way};

/// The names of the leaves.
const LEAVES: [&str; crate::case::LEAVES] = ["L0", "L1", "L2", "L3", "L4", "L5"];

/// A consumer or handler of a case.
#[derive(Debug)]
pub(crate) struct Live {
    script: Arc<Script>,
    way: Way,
    node: &'static HandlerDescriptor,
    own: Option<Asking>,
    strict: Option<Asking>,
    actions: Vec<Option<Asking>>,
    mounts: Vec<Mount>,
}

#[derive(Debug)]
struct Mount {
    id: u16,
    own: Option<Asking>,
    level: Live,
}

/// An expression that can be evaluated.
#[derive(Debug)]
struct Asking {
    place: &'static Place,
    expression: &'static Expression,
    /// The permission of each leaf.
    leaves: Vec<Leaf>,
}

/// A leaf of an expression.
struct Scripted(&'static Place, Leaf, Captures);

impl Permission<Live> for Scripted {
    async fn has_permission(&self, level: &Live, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        level.script.has_permission(self.0, self.1, seen(cx, self.2.clone())).await
    }

    async fn can_connect(&self, level: &Live, _: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        level.script.can_connect(self.0, self.1).await
    }
}

impl Dispatch for Live {
    type BlockUser = Member;
    type Block = ConsumerBlock;

    // Unused: `descriptor` returns the descriptor of the case.
    const DESCRIPTOR: &'static HandlerDescriptor = &HandlerDescriptor {
        name: "",
        permission: None,
        kept_leaves: 0,
        headers: &[],
        is_inherited: false,
        capture_uses: &[],
        actions: &[],
        routes: &[],
    };
    const ACTION_FNS: &'static [ActionFn<Self>] = &[run::<0>, run::<1>, run::<2>];

    fn descriptor(&self) -> &'static HandlerDescriptor {
        self.node
    }

    async fn authorize(&self, call: &Call<'_, Member>, admitted: Authorized) -> Result<Authorized> {
        self.ask(self.own.as_ref(), call, admitted).await
    }

    async fn descend(&self, route: u16, walk: &mut Traversal<'_, Member>, admitted: Authorized) -> Result<()> {
        let Some(mount) = self.mounts.iter().find(|mount| mount.id == route) else { return unknown_route() };
        let admitted = self.ask(mount.own.as_ref(), walk.call(), admitted).await?;
        let further: Pin<Box<dyn Future<Output = Result<()>> + Send + '_>> =
            Box::pin(mount.level.enter::<Live>(walk, admitted));
        further.await
    }
}

fn run<'a, const AT: usize>(
    live: &'a Live,
    call: &'a Call<'a, Member>,
    admitted: Authorized,
    reply: &'a mut Reply,
) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
    Box::pin(async move {
        let admitted = live.ask(live.actions[AT].as_ref(), call, admitted).await?;
        check_execution(call, &admitted)?;
        live.script.run(&live.way, AT, call, reply).await
    })
}

impl Consumer for Live {
    const NAME: &'static str = "Live";

    async fn authorize_connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        if self.script.accepts_handshakes() {
            return Ok(());
        }
        if let Some(asking) = &self.own {
            let leaf = |leaf| async move {
                match asking.leaf(leaf) {
                    Some(leaf) => leaf.can_connect(self, cx).await,
                    None => unknown_leaf(),
                }
            };
            evaluate_connect(cx, asking.expression, leaf).await?;
        }
        if let Some(asking) = &self.strict {
            let leaf = |leaf| async move {
                let Some(leaf) = asking.leaf(leaf) else { return unknown_leaf() };
                match leaf.can_connect(self, cx).await {
                    Ok(None) => leaf.has_permission(self, &cx.as_context()).await.map(Some),
                    told => told,
                }
            };
            evaluate_strict_connect(cx, asking.expression, leaf).await?;
        }
        Ok(())
    }
}

impl Live {
    /// The consumer of a case.
    pub(crate) fn consumer(case: &Case, script: &Arc<Script>) -> Live {
        let mut live = Live::level(&case.root, &Way::new(), script);
        live.strict = case.strict.as_ref().map(|tree| Asking::new(tree, Place::Strict));
        live
    }

    fn level(level: &Level, way: &Way, script: &Arc<Script>) -> Live {
        let own = level.permission.as_ref().map(|tree| Asking::new(tree, Place::Handler(way.clone())));
        let asking = |(at, tree): (usize, &Option<Tree>)| {
            tree.as_ref().map(|tree| Asking::new(tree, Place::Action(way.clone(), at)))
        };
        let actions: Vec<_> = level.actions.iter().map(|action| &action.permission).enumerate().map(asking).collect();
        let mounts: Vec<_> =
            level.routes.iter().enumerate().map(|(at, route)| Mount::new(route, at, way, script)).collect();
        let action_rows = level.actions.iter().zip(&actions).map(|(action, own)| ActionDescriptor {
            name: action.name,
            permission: own.as_ref().map(|own| own.expression),
            is_blocking: action.blocking,
            kept_leaves: 0,
            headers: &[],
            is_detached: false,
            is_stream: false,
            is_in_order: false,
            timeout: None,
            rate: None,
            capture_uses: &[],
            message_keys: &[],
        });
        let route_rows = level.routes.iter().zip(&mounts).map(|(route, mount)| mount.row(route, way.len()));
        let node = leak(HandlerDescriptor {
            name: "Live",
            permission: own.as_ref().map(|own| own.expression),
            kept_leaves: 0,
            headers: &[],
            is_inherited: false,
            capture_uses: &[],
            actions: action_rows.collect::<Vec<_>>().leak(),
            routes: route_rows.collect::<Vec<_>>().leak(),
        });
        Live { script: script.clone(), way: way.clone(), node, own, strict: None, actions, mounts }
    }

    async fn ask(&self, asking: Option<&Asking>, call: &Call<'_, Member>, admitted: Authorized) -> Result<Authorized> {
        let Some(asking) = asking else { return Ok(admitted) };
        let leaf = |leaf| async move {
            match asking.leaf(leaf) {
                Some(leaf) => {
                    Scripted(leaf.0, leaf.1, captures(&call.whole_context()))
                        .has_permission(self, &call.permission_context())
                        .await
                }
                None => unknown_leaf(),
            }
        };
        evaluate(call, asking.expression, 0, admitted, leaf).await
    }
}

impl Mount {
    fn new(route: &Route, at: usize, above: &Way, script: &Arc<Script>) -> Mount {
        let way: Way = above.iter().copied().chain([at]).collect();
        let own = route.permission.as_ref().map(|tree| Asking::new(tree, Place::Mount(way.clone())));
        // Ids have gaps: routes that a `cfg` removes keep theirs.
        let id = u16::try_from(at).unwrap() * 2 + 1;
        Mount { id, own, level: Live::level(&route.level, &way, script) }
    }

    fn row(&self, route: &Route, depth: usize) -> RouteDescriptor {
        let segments = route.segments.iter().enumerate().map(|(at, segment)| match *segment {
            Segment::Text(text) => Row::Text(text),
            Segment::Any => Row::Capture(capture(depth, at)),
            Segment::Digits => Row::Regex(capture(depth, at), digits),
            Segment::Either => Row::Regex(capture(depth, at), either),
            Segment::Rest => Row::Rest(capture(depth, at)),
        });
        let pattern =
            Pattern { text: "", segments: segments.collect::<Vec<_>>().leak(), has_trailing_slash: route.slash };
        let permission = self.own.as_ref().map(|own| own.expression);
        RouteDescriptor {
            id: self.id,
            pattern,
            permission,
            kept_leaves: 0,
            headers: &[],
            capture_uses: &[],
            handler: self.level.node,
        }
    }
}

fn digits() -> &'static Regex {
    static DIGITS: Regex = Regex::new("[0-9]+");
    &DIGITS
}

fn either() -> &'static Regex {
    static EITHER: Regex = Regex::new("a|bb");
    &EITHER
}

impl Asking {
    fn new(tree: &Tree, place: Place) -> Asking {
        let mut leaves = Vec::new();
        let tree = numbered(tree, &mut leaves);
        let texts: Vec<_> = leaves.iter().map(|leaf| LEAVES[usize::from(*leaf)]).collect();
        Asking {
            place: leak(place),
            expression: leak(Expression { tree, leaves: texts.leak(), has_codenames: false }),
            leaves,
        }
    }

    fn leaf(&self, at: u8) -> Option<Scripted> {
        self.leaves.get(usize::from(at)).map(|leaf| Scripted(self.place, *leaf, Captures::new()))
    }
}

/// Numbers the leaves of a tree by their first occurrence.
fn numbered(tree: &Tree, leaves: &mut Vec<Leaf>) -> Expr {
    let mut all = |parts: &[Tree]| -> &'static [Expr] {
        parts.iter().map(|part| numbered(part, leaves)).collect::<Vec<_>>().leak()
    };
    match tree {
        Tree::All(parts) => Expr::All(all(parts)),
        Tree::Any(parts) => Expr::Any(all(parts)),
        Tree::Not(inner) => Expr::Not(leak(numbered(inner, leaves))),
        Tree::Leaf(leaf) => {
            let at = leaves.iter().position(|known| known == leaf).unwrap_or_else(|| {
                leaves.push(*leaf);
                leaves.len() - 1
            });
            Expr::Leaf(u8::try_from(at).unwrap())
        }
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
