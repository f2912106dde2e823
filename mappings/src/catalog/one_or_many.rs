//! Deserializes one value or an array of values.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};

/// One value or an array of values.
#[derive(Clone, Debug)]
pub(super) struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let values = match toml::Value::deserialize(reader)? {
            toml::Value::Array(values) => values,
            one => vec![one],
        };
        let values = values.into_iter().map(T::deserialize);
        let values: Result<_, toml::de::Error> = values.collect();
        values
            .map(Self)
            .map_err(|error| D::Error::custom(error.message()))
    }
}

/// Deserializer for `#[serde(deserialize_with)]`.
pub(super) fn read<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    reader: D,
) -> Result<Vec<T>, D::Error> {
    OneOrMany::deserialize(reader).map(|values| values.0)
}
