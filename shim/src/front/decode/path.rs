//! Maps request paths to operations.

/// Returns the path below one of the prefixes (`v1`, `api/v1`); `None` for any other path.
///
/// Base URLs are configured with or without a trailing slash and in any case, so empty segments and
/// the case of the prefix are ignored. The catalog handles the case of the operation.
pub(crate) fn operation_path<'p>(
    path: &str,
    prefixes: impl IntoIterator<Item = &'p str>,
) -> Option<String> {
    let below = |prefix: &str| {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let is_below = prefix.split('/').all(|part| {
            let segment = segments.next();
            segment.is_some_and(|segment| segment.eq_ignore_ascii_case(part))
        });
        is_below.then(|| segments.collect::<Vec<_>>().join("/"))
    };
    prefixes.into_iter().find_map(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIXES: [&str; 2] = ["v1", "api/v1"];

    #[test]
    fn ignores_case_and_slashes_of_the_base() {
        for path in [
            "/v1/user/get",
            "/V1/user/get/",
            "/v1//user/get",
            "//v1/user//get//",
            "/api/v1/user/get",
            "/API//v1/user/get/",
        ] {
            assert_eq!(
                operation_path(path, PREFIXES).as_deref(),
                Some("user/get"),
                "{path}"
            );
        }
    }

    #[test]
    fn rejects_other_paths() {
        for path in [
            "/",
            "/v2/users",
            "/user/get",
            "/v1user/get",
            "/api/user/get",
            "/api/v2/user/get",
            "/v1api/v1/user/get",
        ] {
            assert_eq!(operation_path(path, PREFIXES), None, "{path}");
        }
        assert_eq!(operation_path("/v1", PREFIXES).as_deref(), Some(""));
    }
}
