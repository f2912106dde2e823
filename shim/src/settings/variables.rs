//! Environment variables with the shim's prefix that are not settings.

use std::{collections::BTreeSet, fmt};

use super::{key::Key, read::nearest, table::keys};

/// Prefix of the shim's variables.
const PREFIX: &str = "SHIM_";

/// A variable that is not a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name.
    pub name: String,
    /// The variable that was probably meant.
    pub meant: Option<String>,
}

impl UnknownVariable {
    /// The unknown variables of an environment, by name. Variables that Kubernetes sets for a
    /// Service whose name starts with `shim` are skipped.
    pub fn among<'v>(environment: impl IntoIterator<Item = (&'v str, &'v str)>) -> Vec<Self> {
        let known: BTreeSet<_> = keys().flat_map(Key::variables).collect();
        let is_unknown = |(name, value): &(&str, &str)| {
            name.starts_with(PREFIX) && !known.contains(*name) && !is_of_service(name, value)
        };
        // The common prefix would make all names similar.
        let endings = || known.iter().filter_map(|name| name.strip_prefix(PREFIX));
        let meant = |name: &str| {
            let ending = nearest(name.strip_prefix(PREFIX)?, endings())?;
            Some(format!("{PREFIX}{ending}"))
        };
        let unknown = environment.into_iter().filter(is_unknown);
        let mut unknown: Vec<_> = unknown
            .map(|(name, _)| Self {
                name: name.to_owned(),
                meant: meant(name),
            })
            .collect();
        unknown.sort_by(|one, other| one.name.cmp(&other.name));
        unknown
    }
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the variable {} sets nothing", self.name)?;
        match &self.meant {
            Some(meant) => write!(f, "; did you mean {meant}?"),
            None => write!(f, "; `shim serve --help` lists the variables"),
        }
    }
}

/// Kubernetes sets `SHIM_SERVICE_HOST`, `SHIM_SERVICE_PORT_HTTP`, `SHIM_PORT=tcp://…`,
/// `SHIM_PORT_8080_TCP_ADDR` and others in every container if there is a Service `shim`.
fn is_of_service(name: &str, value: &str) -> bool {
    let is_url = value.starts_with("tcp://") || value.starts_with("udp://");
    let of_port = || {
        let (_, rest) = name.rsplit_once("_PORT_")?;
        let (number, protocol) = rest.split_once('_')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let protocol = protocol.split('_').next()?;
        Some(is_number && matches!(protocol, "TCP" | "UDP" | "SCTP"))
    };
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT") && is_url
        || of_port().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(environment: &[(&str, &str)]) -> Vec<String> {
        let unknown = UnknownVariable::among(environment.iter().copied());
        unknown.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn misspelt_variables_are_reported_with_a_suggestion() {
        let told = unknown(&[("SHIM_LISTN", "a"), ("SHIM_LISTEN", "b"), ("PATH", "c")]);
        assert_eq!(
            told,
            ["the variable SHIM_LISTN sets nothing; did you mean SHIM_LISTEN?"]
        );
        let told = unknown(&[("SHIM_QUUX", "")]);
        assert!(told[0].contains("--help"), "{told:?}");
    }

    #[test]
    fn variables_of_a_kubernetes_service_are_no_mistake() {
        let told = unknown(&[
            ("SHIM_SERVICE_HOST", "10.0.0.7"),
            ("SHIM_SERVICE_PORT", "80"),
            ("SHIM_SERVICE_PORT_HTTP", "80"),
            ("SHIM_PORT", "tcp://10.0.0.7:80"),
            ("SHIM_PORT_80_TCP", "tcp://10.0.0.7:80"),
            ("SHIM_PORT_80_TCP_PROTO", "tcp"),
            ("SHIM_PORT_80_TCP_PORT", "80"),
            ("SHIM_PORT_80_TCP_ADDR", "10.0.0.7"),
            ("SHIM_OPS_SERVICE_HOST", "10.0.0.8"),
            ("SHIM_OPS_PORT_9090_TCP", "tcp://10.0.0.8:9090"),
        ]);
        assert_eq!(told, [""; 0]);
        assert_eq!(unknown(&[("SHIM_PORT", "8080")]).len(), 1);
    }

    #[test]
    fn every_variable_of_the_table_is_known() {
        let names: Vec<_> = keys().flat_map(Key::variables).collect();
        assert!(names.len() > 60);
        let set = names.iter().map(|name| (name.as_str(), ""));
        assert_eq!(UnknownVariable::among(set), []);
    }
}
