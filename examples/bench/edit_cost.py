#!/usr/bin/env python3
"""Measures what one edited action body costs: the CPU time of `cargo check` with 100 actions.

Writes two crates with the same 100 actions into a temporary folder, one with `#[consumer]`, one with a hand-written
`match` over the action names, and edits the body of one action in turn. Needs the crates of the repository's Cargo.lock,
which `cargo fetch` downloads. Run: `python3 examples/bench/edit_cost.py [--rounds N] [--library] [--lines]`.
"""

import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ACTIONS = 100
# An action in the middle: an edit of it could affect the actions behind it.
EDITED = 50
MARK = "/*edit*/"

BODY = """\
        let found = self.rooms.lock().unwrap().get(&room_{i}).cloned();
        let text = match found {{
            Some(name) if name.len() > {i} => format!("{{name}} {{text}}"),
            Some(name) => name,
            None if must_exist => return Err(Error::not_found()),
            None => text.to_owned() + "{i}",{mark}
        }};
        Ok(Answer {{ id: room_{i}, text, user: cx.require_user()?.id }})
"""

BY_MACRO_HEAD = """\
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Mutex;

use portcullis::{Context, Error, Handler, IsAuthenticated, Permission, Result, User, consumer};
use serde::Serialize;

pub struct Member {
    id: u32,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }
}

pub struct Staff;

impl<H: Handler<User = Member>> Permission<H> for Staff {
    async fn has_permission(&self, _: &H, cx: &Context<'_, Member>) -> Result<bool> {
        Ok(cx.require_user()?.id < 10)
    }
}

#[derive(Serialize)]
pub struct Answer {
    id: u32,
    text: String,
    user: u32,
}

pub struct Chat {
    rooms: Mutex<HashMap<u32, String>>,
}

#[consumer(user = Member, permission = IsAuthenticated)]
impl Chat {
"""

BY_HAND_HEAD = """\
use std::collections::HashMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

pub struct Member {
    id: u32,
}

pub struct Context {
    user: Option<Member>,
}

impl Context {
    fn require_user(&self) -> Result<&Member> {
        self.user.as_ref().ok_or(Error::Denied)
    }
}

#[derive(Debug)]
pub enum Error {
    NotFound,
    Denied,
    UnknownAction,
    Invalid(String),
}

impl Error {
    fn not_found() -> Error {
        Error::NotFound
    }
}

type Result<T> = std::result::Result<T, Error>;

#[derive(Serialize)]
pub struct Answer {
    id: u32,
    text: String,
    user: u32,
}

pub struct Chat {
    rooms: Mutex<HashMap<u32, String>>,
}

async fn staff(cx: &Context) -> Result<()> {
    if cx.require_user()?.id < 10 { Ok(()) } else { Err(Error::Denied) }
}

fn read<'a, T: Deserialize<'a>>(message: &'a str) -> Result<T> {
    serde_json::from_str(message).map_err(|error| Error::Invalid(error.to_string()))
}

fn write<T: Serialize>(reply: T) -> Result<String> {
    serde_json::to_string(&reply).map_err(|error| Error::Invalid(error.to_string()))
}

impl Chat {
"""


def body(i):
    return BODY.format(i=i, mark=MARK if i == EDITED else "")


def by_macro():
    actions = []
    for i in range(ACTIONS):
        permission = "(permission = Staff)" if i % 3 == 0 else ""
        signature = f"act_{i}(&self, cx: &Context<'_, Member>, room_{i}: u32, text: String, must_exist: bool)"
        actions.append(f"    #[action{permission}]\n    async fn {signature} -> Result<Answer> {{\n{body(i)}    }}\n")
    return f"""\
{BY_MACRO_HEAD}{"".join(actions)}}}

#[tokio::main]
async fn main() {{
    let endpoint = portcullis::websocket(Chat {{ rooms: Mutex::default() }});
    println!("{{endpoint:?}}");
}}
"""


def by_hand():
    methods, arms = [], []
    for i in range(ACTIONS):
        permission = "staff(cx).await?;" if i % 3 == 0 else ""
        signature = f"act_{i}(&self, cx: &Context, room_{i}: u32, text: String, must_exist: bool)"
        methods.append(f"    async fn {signature} -> Result<Answer> {{\n{body(i)}    }}\n")
        arms.append(f"""\
            "act_{i}" => {{
                {permission}
                #[derive(Deserialize)]
                struct Arguments {{
                    room_{i}: u32,
                    text: String,
                    must_exist: bool,
                }}
                let Arguments {{ room_{i}, text, must_exist }} = read(message)?;
                write(self.act_{i}(cx, room_{i}, text, must_exist).await?)
            }}
""")
    return f"""\
{BY_HAND_HEAD}{"".join(methods)}
    pub async fn dispatch(&self, cx: &Context, action: &str, message: &str) -> Result<String> {{
        cx.require_user()?;
        match action {{
{"".join(arms)}            _ => Err(Error::UnknownAction),
        }}
    }}
}}

#[tokio::main]
async fn main() {{
    let chat = Chat {{ rooms: Mutex::default() }};
    // The task of a connection: its future must be `Send`.
    let task = tokio::spawn(async move {{ chat.dispatch(&Context {{ user: None }}, "act_0", "{{}}").await.is_ok() }});
    println!("{{:?}}", task.await);
}}
"""


TOKIO = 'tokio = { version = "1", features = ["macros", "rt-multi-thread"] }\n'

CRATES = {
    "by_macro": (by_macro, f'portcullis = {{ path = "{REPOSITORY / "runtime"}" }}\n{TOKIO}'),
    "by_hand": (by_hand, f'serde_json = "1"\n{TOKIO}'),
}


def write_crates(folder, is_library):
    members = ", ".join(f'"{name}"' for name in CRATES)
    (folder / "Cargo.toml").write_text(f'[workspace]\nresolver = "3"\nmembers = [{members}]\n')
    shutil.copy(REPOSITORY / "Cargo.lock", folder)
    toolchain = REPOSITORY / "rust-toolchain.toml"
    if toolchain.exists():
        shutil.copy(toolchain, folder)
    for name, (source, dependencies) in CRATES.items():
        (folder / name / "src").mkdir(parents=True, exist_ok=True)
        manifest = f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\n'
        serde = 'serde = { version = "1", features = ["derive"] }\n'
        (folder / name / "Cargo.toml").write_text(manifest + serde + dependencies)
        text = source()
        if is_library:
            text = text.replace("#[tokio::main]\nasync fn main()", "pub async fn run()")
        source_file(folder, name, is_library).write_text(text)


def source_file(folder, name, is_library):
    return folder / name / "src" / ("lib.rs" if is_library else "main.rs")


def cpu_of_check(folder, name):
    """Returns the CPU seconds of `cargo check`, compiler included."""
    environment = {key: value for key, value in os.environ.items() if key not in ("RUSTFLAGS", "CARGO_TARGET_DIR")}
    environment["CARGO_INCREMENTAL"] = "1"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["cargo", "check", "--quiet", "--package", name], cwd=folder, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def edit(path, addition):
    """Makes a string in the edited body longer, and adds to the line behind it."""
    before, after = path.read_text().split(MARK)
    end = before.rindex('",')
    path.write_text(before[:end] + "x" + before[end:] + addition + MARK + after)


def measure(folder, options):
    for name in CRATES:
        cpu_of_check(folder, name)
    times = {name: [] for name in CRATES}
    for _ in range(options.rounds):
        for name in CRATES:
            edit(source_file(folder, name, options.library), "\n" if options.lines else " ")
            times[name].append(cpu_of_check(folder, name))
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--library", action="store_true", help="library crates instead of programs")
    parser.add_argument("--lines", action="store_true", help="add a line, so that the rest of the file moves down")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        write_crates(folder, options.library)
        times = measure(folder, options)
    print("| `cargo check` after one edited body of 100 | CPU, s: median | least |")
    print("|---|---:|---:|")
    for name, label in (("by_macro", "Portcullis"), ("by_hand", "by hand")):
        print(f"| {label} | {statistics.median(times[name]):.2f} | {min(times[name]):.2f} |")
    ratios = [ours / hand for ours, hand in zip(times["by_macro"], times["by_hand"])]
    print(f"| ratio | {statistics.median(ratios):.2f} | {min(times['by_macro']) / min(times['by_hand']):.2f} |")


if __name__ == "__main__":
    main()
