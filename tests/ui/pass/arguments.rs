//! Supported forms of action parameters.

use std::borrow::Cow;
use std::collections::BTreeMap;

use portcullis::{AllowAny, Context, NoReply, Str, handler};
use serde::{Deserialize, Deserializer};

struct Search;

trait Kinds {
    type Kind: for<'de> Deserialize<'de> + Send;
}

impl Kinds for Search {
    type Kind = u8;
}

fn fifty() -> u32 {
    50
}

fn trimmed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|text| text.trim().to_owned())
}

#[derive(Deserialize)]
struct Filter<'a> {
    #[serde(borrow)]
    tags: Vec<&'a str>,
}

type Cx<'a> = Context<'a, ()>;

#[handler(permission = AllowAny)]
impl Search {
    #[action]
    async fn context_behind_an_alias(&self, cx: &Cx<'_>) -> String {
        cx.route().to_owned()
    }

    #[action(deny_unknown)]
    async fn search(
        &self,
        text: &str,
        name: Str<'_>,
        alias: Cow<'_, str>,
        filter: Filter<'_>,
        #[serde(default)] page: u32,
        #[serde(default = "fifty")] limit: u32,
        #[serde(rename = "type")] kind: Option<<Self as Kinds>::Kind>,
        cx: &Context<'_, ()>,
        #[serde(deserialize_with = "trimmed")] mut comment: String,
        #[serde(alias = "sort")] order: BTreeMap<String, bool>,
        r#match: (u8, [u8; 2]),
        #[path("search")] id: u64,
        #[path] page_text: std::string::String,
    ) -> usize {
        comment.push_str(text);
        let _ = (name, alias, filter.tags, page, limit, kind, cx.route(), order, r#match, id, page_text);
        comment.len()
    }

    #[action(deny_unknown)]
    async fn nothing(&self) -> NoReply {
        NoReply
    }

    #[action]
    fn shared(self: &Self) {}
}

fn main() {}
