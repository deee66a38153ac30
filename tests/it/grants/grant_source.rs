//! Where the grants of these tests come from: a database in memory that tells what it was asked, and fails on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use portcullis::{Codename, Error, GrantSource, ObjectKey, Overwrites, Result, UserGrants};

use super::Member;

/// A database: roles of users, codenames of roles, overwrites of channels.
#[derive(Default)]
pub(crate) struct Database {
    pub(crate) granted: HashMap<u32, UserGrants>,
    overwrites: HashMap<String, Overwrites>,
    /// What was asked of it.
    asked: Vec<String>,
    /// How it fails from now on.
    trouble: Option<&'static str>,
}

#[derive(Clone, Default)]
pub(crate) struct Source(pub(crate) Arc<Mutex<Database>>);

impl Source {
    pub(crate) fn grant(&self, id: u32, grants: &[Codename], roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        let granted = UserGrants { grants: grants.iter().copied().collect(), roles };
        self.0.lock().unwrap().granted.insert(id, granted);
    }

    pub(crate) fn overwrite(&self, channel: u32, overwrites: Overwrites) {
        self.0.lock().unwrap().overwrites.insert(channel.to_string(), overwrites);
    }

    pub(crate) fn trouble(&self, trouble: Option<&'static str>) {
        self.0.lock().unwrap().trouble = trouble;
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    async fn troubled(&self) -> Result<()> {
        let trouble = self.0.lock().unwrap().trouble;
        match trouble {
            None => Ok(()),
            Some("hang") => std::future::pending().await,
            Some("panic") => panic!("the source's secret"),
            Some(_) => Err(Error::internal("the source's secret")),
        }
    }
}

impl GrantSource<Member> for Source {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.0.lock().unwrap().asked.push(format!("user {}", user.id));
        self.troubled().await?;
        Ok(self.0.lock().unwrap().granted.get(&user.id).cloned().unwrap_or_default())
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        let names: Vec<String> = objects.iter().map(|key| format!("{} {}", key.kind(), key.id())).collect();
        self.0.lock().unwrap().asked.push(names.join(", "));
        self.troubled().await?;
        let database = self.0.lock().unwrap();
        Ok(objects
            .iter()
            .map(|key| database.overwrites.get(&key.id().to_string()).cloned().unwrap_or_default())
            .collect())
    }
}
