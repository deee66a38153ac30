//! A grant source in memory that records its loads and fails on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use portcullis::{Codename, Error, GrantSource, ObjectKey, Overwrites, Result, UserGrants};

use super::Member;

/// Grants per user and overwrites per channel.
#[derive(Default)]
pub(crate) struct Database {
    pub(crate) granted: HashMap<u32, UserGrants>,
    overwrites: HashMap<String, Overwrites>,
    /// Every load, in order.
    load_log: Vec<String>,
    /// How every further load fails.
    failure: Option<&'static str>,
}

#[derive(Clone, Default)]
pub(crate) struct FakeGrants(pub(crate) Arc<Mutex<Database>>);

impl FakeGrants {
    pub(crate) fn grant(&self, id: u32, grants: &[Codename], roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        let granted = UserGrants { grants: grants.iter().copied().collect(), roles };
        self.0.lock().unwrap().granted.insert(id, granted);
    }

    pub(crate) fn overwrite(&self, channel: u32, overwrites: Overwrites) {
        self.0.lock().unwrap().overwrites.insert(channel.to_string(), overwrites);
    }

    pub(crate) fn failure(&self, failure: Option<&'static str>) {
        self.0.lock().unwrap().failure = failure;
    }

    pub(crate) fn load_log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().load_log)
    }

    async fn fail_if_set(&self) -> Result<()> {
        let failure = self.0.lock().unwrap().failure;
        match failure {
            None => Ok(()),
            Some("hang") => std::future::pending().await,
            Some("panic") => panic!("the source's secret"),
            Some(_) => Err(Error::internal("the source's secret")),
        }
    }
}

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.0.lock().unwrap().load_log.push(format!("user {}", user.id));
        self.fail_if_set().await?;
        Ok(self.0.lock().unwrap().granted.get(&user.id).cloned().unwrap_or_default())
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        let names: Vec<String> = objects.iter().map(|key| format!("{} {}", key.kind(), key.id())).collect();
        self.0.lock().unwrap().load_log.push(names.join(", "));
        self.fail_if_set().await?;
        let database = self.0.lock().unwrap();
        Ok(objects
            .iter()
            .map(|key| database.overwrites.get(&key.id().to_string()).cloned().unwrap_or_default())
            .collect())
    }
}
