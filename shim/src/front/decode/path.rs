//! The operation that a request path names.

/// The path below the prefix (`v1`), or `None` if the path lies outside.
///
/// Base URLs were configured with and without their last slash and in any case, so empty segments
/// and the case of the prefix mean nothing. The case of the operation is the catalog's business.
pub(crate) fn operation_path(path: &str, prefix: &str) -> Option<String> {
    let path = path.trim_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if !first.eq_ignore_ascii_case(prefix) {
        return None;
    }
    if rest.starts_with('/') || rest.as_bytes().windows(2).any(|pair| pair == b"//") {
        let segments = rest.split('/').filter(|segment| !segment.is_empty());
        return Some(segments.collect::<Vec<_>>().join("/"));
    }
    Some(rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_base_are_one() {
        for path in [
            "/v1/user/get",
            "/V1/user/get/",
            "/v1//user/get",
            "//v1/user//get//",
        ] {
            assert_eq!(
                operation_path(path, "v1").as_deref(),
                Some("user/get"),
                "{path}"
            );
        }
    }

    #[test]
    fn other_paths_are_outside() {
        for path in [
            "/",
            "/v2/users",
            "/user/get",
            "/v1user/get",
            "/api/v1/user/get",
        ] {
            assert_eq!(operation_path(path, "v1"), None, "{path}");
        }
        assert_eq!(operation_path("/v1", "v1").as_deref(), Some(""));
    }
}
