//! Responses of the shim, as a v1 client sees them.

use serde_json::Value;

/// A response of the shim.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
    /// The values of `X-Shim-Warning`.
    pub warnings: Vec<String>,
    /// True if `X-Shim-Duplicate` marks it as joined to an equal request.
    pub is_joined: bool,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let warnings = response
            .headers()
            .get_all("x-shim-warning")
            .iter()
            .map(|value| value.to_str().expect("a printable header").to_owned())
            .collect();
        let duplicate = response.headers().get("x-shim-duplicate");
        let is_joined = duplicate.is_some_and(|value| value == "joined");
        let text = response.text().await.expect("a whole answer");
        let body = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{status}: {text:?} is not JSON: {error}"));
        Self {
            status,
            body,
            warnings,
            is_joined,
        }
    }

    /// True if a warning lists this v1 field.
    pub fn warns_of(&self, field: &str) -> bool {
        self.warnings.iter().any(|warning| {
            let fields = warning.split(':').next().unwrap_or_default();
            fields.split(", ").any(|named| named == field)
        })
    }

    /// Returns the body of a success.
    ///
    /// # Panics
    ///
    /// The response is an error.
    #[track_caller]
    pub fn success(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        assert!(self.body.get("error").is_none(), "{}", self.body);
        self.body
    }

    /// Returns code and message of a v1 error, as `code message`.
    ///
    /// # Panics
    ///
    /// The response is a success, or not in v1's error format.
    #[track_caller]
    pub fn error(self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        let members = self.body.as_object().expect("an object");
        assert_eq!(
            members.len(),
            1,
            "the envelope holds nothing else: {self:?}"
        );
        let error = &self.body["error"];
        let code = error["code"].as_i64();
        let message = error["message"].as_str();
        let (Some(code), Some(message)) = (code, message) else {
            panic!("no envelope of v1: {self:?}");
        };
        format!("{code} {message}")
    }
}
