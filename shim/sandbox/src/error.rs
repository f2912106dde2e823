//! Error responses, declared in `errors.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::{Value, json};

use super::embedded;
use super::response::json_response;

/// A v2 error: `{"code":…,"message":…}` with its HTTP status.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: u16,
    code: u32,
    message: String,
    refused: Vec<RefusedField>,
}

/// Field that failed validation.
#[derive(Debug)]
pub(crate) struct RefusedField {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl ApiError {
    pub(crate) fn new(name: ErrorName) -> Self {
        Self::of(row(name))
    }

    /// The error of a table row.
    pub(crate) fn of(row: &ErrorRow) -> Self {
        Self {
            status: row.status,
            code: row.code,
            message: row.message.clone(),
            refused: Vec::new(),
        }
    }

    /// Fills the placeholder `{name}` of the message.
    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.message = self
            .message
            .replace(&format!("{{{name}}}"), &value.to_string());
        self
    }

    /// Replaces the message.
    pub(crate) fn saying(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// Validation error with its fields.
    pub(crate) fn validation(refused: Vec<RefusedField>) -> Self {
        Self {
            refused,
            ..Self::new(ErrorName::ValidationFailed)
        }
    }

    /// Validation error of one field.
    pub(crate) fn refused(field: &str, reason: &str) -> Self {
        Self::validation(vec![RefusedField {
            field: field.to_owned(),
            reason: reason.to_owned(),
        }])
    }
}

impl From<ErrorName> for ApiError {
    fn from(name: ErrorName) -> Self {
        Self::new(name)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "message": self.message });
        if !self.refused.is_empty()
            && let Some(members) = body.as_object_mut()
        {
            let errors = self
                .refused
                .into_iter()
                .map(|refused| json!({ "field": refused.field, "message": refused.reason }))
                .collect();
            members.insert("errors".to_owned(), Value::Array(errors));
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        json_response(status, &body)
    }
}

/// Row of an error table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorRow {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) message: String,
}

static ERRORS: LazyLock<BTreeMap<ErrorName, ErrorRow>> =
    LazyLock::new(|| embedded::toml("errors.toml", include_str!("errors.toml")));

fn row(name: ErrorName) -> &'static ErrorRow {
    static MISSING: ErrorRow = ErrorRow {
        status: 500,
        code: 500,
        message: String::new(),
    };
    ERRORS.get(&name).unwrap_or(&MISSING)
}

impl ErrorName {
    /// The error with this key.
    pub(crate) fn named(key: &str) -> Option<Self> {
        Self::deserialize(key.into_deserializer() as StrDeserializer<'_, ValueError>).ok()
    }
}

macro_rules! error_names {
    ($($name:ident),+ $(,)?) => {
        /// Keys of `errors.toml` in camel case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum ErrorName { $($name),+ }

        #[cfg(test)]
        impl ErrorName {
            const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

error_names! {
    InvalidAccessToken,
    ExpiredAccessToken,
    UnknownEndpoint,
    MethodNotAllowed,
    ValidationFailed,
    BodyNotJson,
    BodyTypeUnsupported,
    BodyTooLarge,
    BodyUnreadable,
    InvalidParameter,
    EmailRequired,
    VanityNameRequired,
    PageTokenInvalid,
    UserNotFound,
    InviteNotFound,
    EmailInUse,
    EmailInUseOnChange,
    EmailInOtherAccount,
    EmailDomainBlocked,
    EmailDomainLimited,
    EmailDomainUnmanaged,
    UserTypeRefused,
    SsoNotEnabled,
    AccountFull,
    SubscriptionNotFound,
    AddPaidRefused,
    AddBasicRefused,
    AddPaidOverMaximum,
    AddBasicOverMaximum,
    ConvertPaidRefused,
    ConvertBasicRefused,
    ConvertPaidOverMaximum,
    ConvertBasicOverMaximum,
    ActivateBasicRefused,
    ActivateBasicOverMaximum,
    HostNotPaid,
    PersonalLinkTaken,
    PmiWithoutLicense,
    PlanChangesTogether,
    AboutMeIllegal,
    LinkedinUrlIllegal,
    TransferToSelf,
    TransferTargetUnknown,
    ApiUserNotUnlinkable,
    ManagedUserNotUnlinkable,
    AdminNotUnlinkable,
    OwnerNotDeletable,
    AdminStatusFixed,
    PendingEmailFixed,
    OwnerEmailFixed,
    AdminEmailFixed,
    InactiveEmailFixed,
    PasswordUnchanged,
    PasswordOfAdmin,
    PasswordNotWorkEmail,
    PasswordTooShort,
    PasswordWithoutLetter,
    PasswordWithoutDigit,
    PasswordWithoutSpecial,
    PasswordOfOneCase,
    PasswordOfOneCharacter,
    PasswordOfASequence,
    PasswordEasyToGuess,
    PictureEmpty,
    PictureTooLarge,
    PictureNotAnImage,
    HostNotLicensed,
    AssistantNotLicensed,
    AssistantIsSelf,
    AssistantNotFound,
    AssistantAlready,
    SettingsOfPendingUser,
    WebinarNeedsLicense,
    LargeMeetingNeedsLicense,
    EventsNeedLicense,
    ConcurrentNeedsLicense,
    WebinarBesideEvents,
    EventsBesideWebinar,
    WhiteboardsTogether,
    CustomerKeyOfOneUser,
    WebinarLimit,
    LargeMeetingLimit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_row_with_an_error_status() {
        for name in ErrorName::ALL {
            let row = ERRORS
                .get(name)
                .unwrap_or_else(|| panic!("{name:?} is not in errors.toml"));
            assert!(
                (400..500).contains(&row.status),
                "{name:?}: status {}",
                row.status
            );
            assert!(!row.message.is_empty(), "{name:?}: no message");
        }
    }
}
