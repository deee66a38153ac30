//! The files of one crate, and which of them import each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemMod, ItemUse, Macro, Meta, Path, UseTree, Visibility};

/// The names of nested modules, from the root of the crate.
type ModulePath = Vec<String>;

/// The imports between the files of a crate, without unit tests. Files are named relative to the folder of the crate's root.
pub(crate) struct ImportGraph {
    /// Per file those that define what it imports.
    imported: BTreeMap<String, BTreeSet<String>>,
    /// Files, each with a folder or file at the root of the crate that its paths name. That may re-export what they import.
    named_folders: BTreeSet<(String, String)>,
}

impl ImportGraph {
    /// Reads a crate from `lib.rs` on. `read` returns the text of a file, or `None` if there is no such file.
    pub(crate) fn new(read: &dyn Fn(&str) -> Option<String>) -> ImportGraph {
        let mut sources = Sources { read, modules: BTreeMap::new(), mentions: Vec::new() };
        sources.add_file("lib.rs".to_owned(), Vec::new());
        let mut graph = ImportGraph { imported: BTreeMap::new(), named_folders: BTreeSet::new() };
        for Mention { module, path, is_reexport } in &sources.mentions {
            let file = &sources.modules[module].file;
            let folder = sources.resolve(module, path, Reexports::OfTheCrate);
            if let Some(folder) = folder.and_then(|module| module.first().cloned()) {
                graph.named_folders.insert((file.clone(), folder));
            }
            let definition = sources.resolve(module, path, Reexports::All).filter(|_| !is_reexport);
            let definition = definition.map(|module| &sources.modules[&module].file);
            if let Some(definition) = definition.filter(|definition| *definition != file) {
                graph.imported.entry(file.clone()).or_default().insert(definition.clone());
            }
        }
        graph
    }

    /// Returns files, each with a folder or file at the root of the crate that its paths name.
    pub(crate) fn named_folders(&self) -> impl Iterator<Item = (&str, &str)> {
        self.named_folders.iter().map(|(file, folder)| (&**file, &**folder))
    }

    /// Returns each import as the importing and the imported file.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&str, &str)> {
        let each = |(file, imported)| std::iter::repeat(file).zip(imported);
        self.imported.iter().flat_map(each).map(|(file, imported): (&String, &String)| (&**file, &**imported))
    }

    /// Returns a shortest circle of imports through each file that is part of one, as a chain of files.
    pub(crate) fn circles(&self) -> BTreeSet<String> {
        let circles = self.imported.keys().filter_map(|file| self.circle_through(file));
        // The same circle is found from each of its files; it is reported from the first one.
        let from_first = circles.map(|mut circle| {
            let first = (0..circle.len()).min_by_key(|index| circle[*index]).unwrap_or_default();
            circle.rotate_left(first);
            circle.push(circle[0]);
            circle.join(" -> ")
        });
        from_first.collect()
    }

    /// Returns the files of a shortest circle that begins at `start`.
    fn circle_through<'a>(&'a self, start: &'a str) -> Option<Vec<&'a str>> {
        let mut chains = VecDeque::from([vec![start]]);
        let mut seen = BTreeSet::new();
        while let Some(chain) = chains.pop_front() {
            for next in self.imported.get(chain[chain.len() - 1]).into_iter().flatten() {
                if next == start {
                    return Some(chain);
                }
                if seen.insert(next) {
                    chains.push_back(chain.iter().copied().chain([&**next]).collect());
                }
            }
        }
        None
    }
}

/// A module: its file, and the paths that its `use` declarations give a name.
struct Module {
    file: String,
    names: BTreeMap<String, Vec<String>>,
}

/// A path in the code of a module.
struct Mention {
    module: ModulePath,
    path: Vec<String>,
    /// Whether the path only gets a name for others, by `pub use`.
    is_reexport: bool,
}

/// The re-exports that the resolution of a path follows.
#[derive(Clone, Copy, PartialEq)]
enum Reexports {
    All,
    /// Those of `lib.rs`.
    OfTheCrate,
}

/// The modules of a crate, and the paths that their code mentions.
struct Sources<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    modules: BTreeMap<ModulePath, Module>,
    mentions: Vec<Mention>,
}

impl Sources<'_> {
    fn add_file(&mut self, file: String, module: ModulePath) {
        let text = (self.read)(&file).unwrap_or_else(|| panic!("no file {file}"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.add_module(file, module, &parsed.items);
    }

    fn add_module(&mut self, file: String, module: ModulePath, items: &[Item]) {
        self.modules.insert(module.clone(), Module { file, names: BTreeMap::new() });
        let mut visitor = ModuleVisitor { sources: self, module };
        for item in items {
            visitor.visit_item(item);
        }
    }

    /// Returns the module that defines what `path` names in `module`, or that re-exports it. `None` if another crate does.
    fn resolve(&self, module: &[String], path: &[String], reexports: Reexports) -> Option<ModulePath> {
        match self.modules[module].names.get(&path[0]) {
            Some(target) => self.resolve_declared(module, &[target, &path[1..]].concat(), reexports),
            None => self.resolve_declared(module, path, reexports),
        }
    }

    /// As [`resolve`](Self::resolve), for the path of a `use` declaration: it begins with a keyword or a child module.
    fn resolve_declared(&self, module: &[String], path: &[String], reexports: Reexports) -> Option<ModulePath> {
        let is_child = |module: &[String], name: &String| self.modules.contains_key(&child(module, name));
        let (mut module, mut rest) = match &*path[0] {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (module.to_vec(), &path[1..]),
            "super" => (module.to_vec(), path),
            _ if is_child(module, &path[0]) => (module.to_vec(), path),
            _ => return None,
        };
        while let [name, others @ ..] = rest {
            if name == "super" {
                module.pop();
            } else if is_child(&module, name) {
                module.push(name.clone());
            } else {
                let is_followed = reexports == Reexports::All || module.is_empty();
                return match self.modules[&module].names.get(name).filter(|_| is_followed) {
                    Some(target) => self.resolve_declared(&module, &[target, others].concat(), reexports),
                    None => Some(module),
                };
            }
            rest = others;
        }
        Some(module)
    }
}

fn child(path: &[String], name: &str) -> Vec<String> {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

/// Collects the child modules of one module and the paths that it mentions.
struct ModuleVisitor<'s, 'a> {
    sources: &'s mut Sources<'a>,
    module: ModulePath,
}

impl ModuleVisitor<'_, '_> {
    fn mention(&mut self, path: Vec<String>, is_reexport: bool) {
        self.sources.mentions.push(Mention { module: self.module.clone(), path, is_reexport });
    }

    /// Adds the paths of a `use` declaration. A re-export only gives them a name: an import by that name is an import of
    /// the file that defines the item.
    fn add_use(&mut self, tree: &UseTree, prefix: &[String], is_reexport: bool) {
        let (path, name) = match tree {
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.add_use(tree, prefix, is_reexport));
            }
            UseTree::Path(path) => {
                return self.add_use(&path.tree, &child(prefix, &path.ident.to_string()), is_reexport);
            }
            UseTree::Glob(_) => (prefix.to_vec(), None),
            // `use a::{self}` names `a`.
            UseTree::Name(name) if name.ident == "self" => (prefix.to_vec(), prefix.last().cloned()),
            UseTree::Rename(name) if name.ident == "self" => (prefix.to_vec(), Some(name.rename.to_string())),
            UseTree::Name(name) => (child(prefix, &name.ident.to_string()), Some(name.ident.to_string())),
            UseTree::Rename(name) => (child(prefix, &name.ident.to_string()), Some(name.rename.to_string())),
        };
        if let Some((name, module)) = name.zip(self.sources.modules.get_mut(&self.module)) {
            module.names.insert(name, path.clone());
        }
        self.mention(path, is_reexport);
    }

    /// Adds the paths among the tokens of a macro call.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is_punct = |index: usize, expected: char| matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == expected);
        let is_separator = |index: usize| is_punct(index, ':') && is_punct(index + 1, ':');
        let ident = |index: usize| match tokens.get(index) {
            Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
            _ => None,
        };
        for (index, token) in tokens.iter().enumerate() {
            if let TokenTree::Group(group) = token {
                self.add_tokens(group.stream());
            }
            // `$crate` is the crate of the macro, and a name after `::` is no first one.
            let is_first = !(index > 0 && is_punct(index - 1, '$') || index > 1 && is_separator(index - 2));
            let mut path = Vec::from_iter(ident(index).filter(|_| is_first));
            // A name and a separator are three tokens.
            while let Some(next) = ident(index + 3 * path.len())
                && !path.is_empty()
                && is_separator(index + 3 * path.len() - 2)
            {
                path.push(next);
            }
            if path.len() > 1 {
                self.mention(path, false);
            }
        }
    }
}

impl<'ast> Visit<'ast> for ModuleVisitor<'_, '_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !attributes.iter().any(is_cfg_test) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !item.attrs.iter().any(is_cfg_test) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let module = child(&self.module, &item.ident.to_string());
        if let Some((_, items)) = &item.content {
            let file = self.sources.modules[&self.module].file.clone();
            return self.sources.add_module(file, module, items);
        }
        let path = module.join("/");
        let files = [format!("{path}.rs"), format!("{path}/mod.rs")];
        let file = files.into_iter().find(|file| (self.sources.read)(file).is_some());
        self.sources.add_file(file.unwrap_or_else(|| panic!("module {path} has no file")), module);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_use(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 && path.leading_colon.is_none() {
            self.mention(segments, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.add_tokens(call.tokens.clone());
    }

    /// A visibility such as `pub(in crate::check)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn is_cfg_test(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}
