//! v2's rate labels: the class of rate limit that a call counts against.

use std::collections::HashMap;

use mappings::{Catalog, Method};

/// Class of rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateLabel {
    /// Limited per second.
    Light,
    /// Limited per second, lower.
    Medium,
    /// Limited per second, lowest.
    Heavy,
    /// Limited per minute.
    ResourceIntensive,
}

/// One value per label.
#[derive(Debug)]
pub(crate) struct ByLabel<T>([T; 4]);

/// Labels of all calls in the plans of a catalog.
#[derive(Debug)]
pub struct RateLabels(HashMap<Method, HashMap<String, RateLabel>>);

impl RateLabel {
    /// All labels.
    pub const ALL: [Self; 4] = [
        Self::Light,
        Self::Medium,
        Self::Heavy,
        Self::ResourceIntensive,
    ];

    /// Name in v2's documentation and the catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Medium => "medium",
            Self::Heavy => "heavy",
            Self::ResourceIntensive => "resource-intensive",
        }
    }

    fn named(name: &str) -> Self {
        let label = Self::ALL.into_iter().find(|label| label.as_str() == name);
        // The catalog has no other labels.
        label.unwrap_or(Self::Heavy)
    }
}

impl<T> ByLabel<T> {
    pub(crate) fn new(of: impl FnMut(RateLabel) -> T) -> Self {
        Self(RateLabel::ALL.map(of))
    }

    pub(crate) fn get(&self, label: RateLabel) -> &T {
        let [light, medium, heavy, intensive] = &self.0;
        match label {
            RateLabel::Light => light,
            RateLabel::Medium => medium,
            RateLabel::Heavy => heavy,
            RateLabel::ResourceIntensive => intensive,
        }
    }
}

impl RateLabels {
    /// Collects the labels of a catalog.
    pub fn of(catalog: &Catalog) -> Self {
        let mut labels: HashMap<_, HashMap<_, _>> = HashMap::new();
        for call in catalog.plans().flat_map(|plan| &plan.calls) {
            let of_method = labels.entry(call.method).or_default();
            of_method.insert(call.template.to_string(), RateLabel::named(&call.label));
        }
        Self(labels)
    }

    /// Label of a call; heavy for calls in no plan.
    pub fn of_call(&self, method: Method, template: &str) -> RateLabel {
        let label = self.0.get(&method).and_then(|known| known.get(template));
        label.copied().unwrap_or(RateLabel::Heavy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_from_the_catalog() {
        let labels = RateLabels::of(&Catalog::embedded().unwrap());
        assert_eq!(labels.of_call(Method::Get, "/users"), RateLabel::Medium);
        assert_eq!(labels.of_call(Method::Post, "/users"), RateLabel::Light);
        assert_eq!(labels.of_call(Method::Post, "/nothing"), RateLabel::Heavy);
        for name in ["light", "medium", "heavy", "resource-intensive"] {
            assert_eq!(RateLabel::named(name).as_str(), name);
        }
    }
}
