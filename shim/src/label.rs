//! v2's rate labels, as the catalog gives them to the calls of its plans.

use std::collections::HashMap;

use mappings::{Catalog, Method};

/// How much of its rate limits v2 counts a call against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    Light,
    Medium,
    Heavy,
    ResourceIntensive,
}

/// The label of every call that the plans of a catalog make.
#[derive(Debug)]
pub(crate) struct Labels(HashMap<Method, HashMap<String, Label>>);

impl Label {
    pub(crate) const ALL: [Self; 4] = [
        Self::Light,
        Self::Medium,
        Self::Heavy,
        Self::ResourceIntensive,
    ];

    /// The word that v2's documents and the catalog use.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Medium => "medium",
            Self::Heavy => "heavy",
            Self::ResourceIntensive => "resource-intensive",
        }
    }

    fn named(name: &str) -> Self {
        let label = Self::ALL.into_iter().find(|label| label.as_str() == name);
        // The catalog knows no other word.
        label.unwrap_or(Self::Heavy)
    }
}

impl Labels {
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let mut labels: HashMap<_, HashMap<_, _>> = HashMap::new();
        let plans = catalog.operations().iter().filter_map(|known| known.plan());
        for call in plans.flat_map(|plan| &plan.calls) {
            let of_method = labels.entry(call.method).or_default();
            of_method.insert(call.template.to_string(), Label::named(&call.label));
        }
        Self(labels)
    }

    /// The label of a call; heavy for one that no plan makes, which there is none of.
    pub(crate) fn of_call(&self, method: Method, template: &str) -> Label {
        let label = self.0.get(&method).and_then(|known| known.get(template));
        label.copied().unwrap_or(Label::Heavy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_the_labels_of_the_catalog() {
        let labels = Labels::of(&Catalog::embedded().unwrap());
        assert_eq!(labels.of_call(Method::Get, "/users"), Label::Medium);
        assert_eq!(labels.of_call(Method::Post, "/users"), Label::Light);
        assert_eq!(labels.of_call(Method::Post, "/nothing"), Label::Heavy);
        for name in ["light", "medium", "heavy", "resource-intensive"] {
            assert_eq!(Label::named(name).as_str(), name);
        }
    }
}
