//! Groups and IM groups, which differ in a few members only.

use serde_json::{Value, json};

use super::error::{ApiError, ErrorName};
use super::request::Members;
use super::state::State;
use super::user::User;

/// Groups that an account may have, of each kind.
const MAX_GROUPS: usize = 1_000;

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What only IM groups have: their type and how they are searched.
    pub(crate) traits: Members,
}

/// Which of the two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Group,
    ImGroup,
}

impl Kind {
    pub(crate) fn groups(self, state: &State) -> &[Group] {
        match self {
            Self::Group => &state.groups,
            Self::ImGroup => &state.im_groups,
        }
    }

    pub(crate) fn groups_mut(self, state: &mut State) -> &mut Vec<Group> {
        match self {
            Self::Group => &mut state.groups,
            Self::ImGroup => &mut state.im_groups,
        }
    }

    /// The ids of the user's groups of this kind.
    pub(crate) fn of_user(self, user: &User) -> &[String] {
        match self {
            Self::Group => &user.groups,
            Self::ImGroup => &user.im_groups,
        }
    }

    pub(crate) fn of_user_mut(self, user: &mut User) -> &mut Vec<String> {
        match self {
            Self::Group => &mut user.groups,
            Self::ImGroup => &mut user.im_groups,
        }
    }

    /// # Errors
    /// When there is no such group, or no IM groups any more.
    pub(crate) fn find(self, state: &State, id: &str) -> Result<Group, ApiError> {
        self.available(state)?;
        self.groups(state)
            .iter()
            .find(|group| group.id == id)
            .cloned()
            .ok_or_else(|| self.unknown(id))
    }

    /// # Errors
    /// When the sandbox plays an account whose IM groups were taken away.
    pub(crate) fn available(self, state: &State) -> Result<(), ApiError> {
        if self == Self::ImGroup && !state.config.im_groups {
            return Err(ErrorName::ImGroupsGone.into());
        }
        Ok(())
    }

    pub(crate) fn unknown(self, id: &str) -> ApiError {
        let name = match self {
            Self::Group => ErrorName::GroupNotFound,
            Self::ImGroup => ErrorName::ImGroupNotFound,
        };
        ApiError::new(name).with("group", id)
    }

    /// # Errors
    /// When another group has the name, or the name is empty.
    pub(crate) fn check_name(
        self,
        state: &State,
        name: &str,
        own_id: Option<&str>,
    ) -> Result<(), ApiError> {
        if name.trim().is_empty() {
            return Err(ApiError::new(ErrorName::InvalidParameter).with("name", "name."));
        }
        let taken = self
            .groups(state)
            .iter()
            .any(|group| group.name == name && Some(group.id.as_str()) != own_id);
        if taken {
            Err(ApiError::new(ErrorName::GroupNameTaken).with("group", name))
        } else {
            Ok(())
        }
    }

    /// # Errors
    /// When there are too many groups.
    pub(crate) fn found(
        self,
        state: &mut State,
        name: String,
        traits: Members,
    ) -> Result<Group, ApiError> {
        if self.groups(state).len() >= MAX_GROUPS {
            return Err(ErrorName::GroupLimit.into());
        }
        let group = Group {
            id: state.fresh_id(),
            name,
            traits,
        };
        self.groups_mut(state).push(group.clone());
        Ok(group)
    }

    pub(crate) fn dissolve(self, state: &mut State, id: &str) {
        self.groups_mut(state).retain(|group| group.id != id);
        for user in state.users.iter_mut() {
            self.of_user_mut(user).retain(|member_of| member_of != id);
        }
    }

    pub(crate) fn document(self, state: &State, group: &Group) -> Value {
        let members = state
            .users
            .iter()
            .filter(|user| self.of_user(user).contains(&group.id))
            .count();
        let mut document = json!({ "id": group.id, "name": group.name, "total_members": members });
        if let Some(document) = document.as_object_mut().filter(|_| self == Self::ImGroup) {
            for search in [
                "search_by_account",
                "search_by_domain",
                "search_by_ma_account",
            ] {
                document.insert(search.to_owned(), false.into());
            }
            document.insert("type".to_owned(), "normal".into());
            document.extend(group.traits.clone());
        }
        document
    }
}
