//! The account: users by id and email address, issued access tokens.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use super::access_tokens::AccessTokens;
use super::config::{MAX_USERS, SandboxConfig};
use super::error::ApiError;
use super::paging::PageTokens;
use super::random::random_text;
use super::request::Members;
use super::role::Role;
use super::user::{Status, User, login};

pub(crate) struct Account {
    pub(crate) config: SandboxConfig,
    pub(crate) users: Users,
    /// Initial groups and IM groups: id and name.
    pub(crate) groups: Vec<(String, String)>,
    pub(crate) im_groups: Vec<(String, String)>,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) page_tokens: PageTokens,
    random: fastrand::Rng,
}

impl Account {
    pub(crate) fn new(config: SandboxConfig) -> Self {
        Self {
            config,
            users: Users::default(),
            groups: Vec::new(),
            im_groups: Vec::new(),
            access_tokens: AccessTokens::default(),
            page_tokens: PageTokens::default(),
            // Fixed seed, so that runs are reproducible. Secrets use other generators.
            random: fastrand::Rng::with_seed(2020),
        }
    }

    /// The user of a path segment: an id, an email address, or `me` (the account owner).
    pub(crate) fn user(&self, key: &str) -> Result<&User, ApiError> {
        self.users.find(key).ok_or_else(|| self.unknown(key))
    }

    /// Mutable [`Account::user`].
    pub(crate) fn user_mut(&mut self, key: &str) -> Result<&mut User, ApiError> {
        let unknown = self.unknown(key);
        self.users.find_mut(key).ok_or(unknown)
    }

    /// [`Account::user`], but a user without this login type counts as unknown.
    pub(crate) fn user_by_login(
        &self,
        key: &str,
        login_type: Option<i64>,
    ) -> Result<&User, ApiError> {
        let user = self.user(key)?;
        match login_type {
            Some(login_type) if !user.login_types.contains(&login_type) => Err(self.unknown(key)),
            _ => Ok(user),
        }
    }

    /// [`Account::user`], but pending users count as unknown.
    pub(crate) fn joined_user(&self, key: &str) -> Result<&User, ApiError> {
        self.user(key).and_then(|user| {
            if user.is_pending() {
                Err(self.unknown(key))
            } else {
                Ok(user)
            }
        })
    }

    /// v2's error for an unknown user.
    pub(crate) fn unknown(&self, key: &str) -> ApiError {
        if self
            .config
            .expired_invites
            .iter()
            .any(|address| address.eq_ignore_ascii_case(key))
        {
            return ApiError::new("invite_not_found");
        }
        ApiError::new("user_not_found").with("user", key)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// If the account has the maximum number of users.
    pub(crate) fn add(&mut self, user: User) -> Result<(), ApiError> {
        if self.users.len() >= MAX_USERS {
            return Err(ApiError::new("account_full").with("max", MAX_USERS));
        }
        self.users.insert(user);
        Ok(())
    }

    /// Removes a user, also as an assistant of others.
    pub(crate) fn remove(&mut self, id: &str) {
        self.users.remove(id);
        for user in self.users.iter_mut() {
            user.assistants.retain(|assistant| assistant.id != id);
        }
    }

    /// Creates an active member without adding it to the account.
    pub(crate) fn new_user(&mut self, email: String, plan: i64) -> User {
        User {
            id: self.fresh_id(),
            email,
            plan,
            status: Status::Active,
            role: Role::Member,
            login_types: vec![login::PASSWORD],
            pmi: self.fresh_pmi(),
            host_key: None,
            vanity_name: None,
            employee_unique_id: None,
            password: None,
            picture: None,
            created_at: OffsetDateTime::now_utc(),
            last_login: None,
            groups: Vec::new(),
            im_groups: Vec::new(),
            assistants: Vec::new(),
            profile: Members::new(),
            settings: Members::new(),
            token_generation: 0,
        }
    }

    /// A fresh id in v2's form: 22 characters of URL-safe base64.
    pub(crate) fn fresh_id(&mut self) -> String {
        random_text(&mut self.random, 22)
    }

    /// A fresh personal meeting ID: 10 digits, so usually beyond 32 bits.
    pub(crate) fn fresh_pmi(&mut self) -> i64 {
        self.random.i64(1_000_000_000..10_000_000_000)
    }

    pub(crate) fn fresh_number(&mut self) -> u64 {
        self.random.u64(..)
    }
}

/// Users in the order in which they joined.
#[derive(Default)]
pub(crate) struct Users {
    by_number: BTreeMap<u64, User>,
    number_by_id: HashMap<String, u64>,
    number_by_email: HashMap<String, u64>,
    last_number: u64,
}

impl Users {
    pub(crate) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &User> {
        self.by_number.values()
    }

    /// Users after a position, with their positions.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = (u64, &User)> {
        self.by_number
            .range(number.saturating_add(1)..)
            .map(|(number, user)| (*number, user))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut User> {
        self.by_number.values_mut()
    }

    pub(crate) fn by_email(&self, email: &str) -> Option<&User> {
        self.by_number
            .get(self.number_by_email.get(&email.to_lowercase())?)
    }

    pub(crate) fn find(&self, key: &str) -> Option<&User> {
        self.by_number.get(&self.number(key)?)
    }

    pub(crate) fn find_mut(&mut self, key: &str) -> Option<&mut User> {
        let number = self.number(key)?;
        self.by_number.get_mut(&number)
    }

    /// Changes a user's email address.
    pub(crate) fn change_email(&mut self, id: &str, email: &str) {
        if let Some(number) = self.number_by_id.get(id).copied()
            && let Some(user) = self.by_number.get_mut(&number)
        {
            self.number_by_email.remove(&user.email.to_lowercase());
            self.number_by_email.insert(email.to_lowercase(), number);
            email.clone_into(&mut user.email);
        }
    }

    /// Appends a user with a new id and email address.
    pub(crate) fn insert(&mut self, user: User) {
        self.last_number += 1;
        self.number_by_id.insert(user.id.clone(), self.last_number);
        self.number_by_email
            .insert(user.email.to_lowercase(), self.last_number);
        self.by_number.insert(self.last_number, user);
    }

    fn remove(&mut self, id: &str) {
        if let Some(number) = self.number_by_id.remove(id)
            && let Some(user) = self.by_number.remove(&number)
        {
            self.number_by_email.remove(&user.email.to_lowercase());
        }
    }

    /// Pending users are found by email address only, because v2 gives them no id.
    fn number(&self, key: &str) -> Option<u64> {
        if key == "me" {
            return self
                .by_number
                .iter()
                .find(|(_, user)| user.role == Role::Owner)
                .map(|(number, _)| *number);
        }
        if key.contains('@') {
            return self.number_by_email.get(&key.to_lowercase()).copied();
        }
        let number = self.number_by_id.get(key).copied()?;
        self.by_number
            .get(&number)
            .filter(|user| !user.is_pending())
            .map(|_| number)
    }
}
