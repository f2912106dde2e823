//! Extracts the v1 operation from a URL or path.

/// Path after `/v1/` in a URL or path, without query and fragment: `user/getbyemail`. `None` if
/// there is no such segment.
pub(crate) fn below_prefix(address: &str, prefix: &str) -> Option<String> {
    let path = path(address);
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.find(|segment| segment.eq_ignore_ascii_case(prefix))?;
    Some(segments.collect::<Vec<_>>().join("/"))
}

/// Host and path of a URL, with or without scheme, query and fragment.
pub(crate) fn path(address: &str) -> &str {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let address = address.get(..end).unwrap_or(address);
    address.split_once("://").map_or(address, |(_, rest)| rest)
}

/// Query of a URL, still encoded; empty if there is none.
pub(crate) fn query(address: &str) -> &str {
    let address = address
        .split_once('#')
        .map_or(address, |(before, _)| before);
    address.split_once('?').map_or("", |(_, query)| query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_operation_after_prefix() {
        for address in [
            "https://api.zoom.us/v1/user/get",
            "https://api.zoom.us/V1//user/get/?id=a/v1/b#c",
            "api.zoom.us/v1/user/get",
            "http://127.0.0.1:8080/proxied/v1/user/get",
            "/v1/user/get",
            "v1/user/get",
        ] {
            assert_eq!(
                below_prefix(address, "v1").as_deref(),
                Some("user/get"),
                "{address}"
            );
        }
        for address in [
            "https://api.zoom.us/v2/users",
            "user/get",
            "",
            "https://x/?u=/v1/user/get",
        ] {
            assert_eq!(below_prefix(address, "v1"), None, "{address}");
        }
    }

    #[test]
    fn query_ends_at_the_fragment() {
        assert_eq!(query("https://x/v1/user/get?a=b&c=d?e#f?g"), "a=b&c=d?e");
        assert_eq!(query("https://x/v1/user/get#?a=b"), "");
    }
}
