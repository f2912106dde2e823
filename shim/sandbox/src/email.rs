//! Email addresses: validation and domains.

/// True if v2 accepts the address: a dot-atom, `@`, and at least two host labels. Same as JSON
/// Schema's common `email` format.
pub(crate) fn is_valid(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let local_ok = local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte));
    let labels: Vec<_> = domain.split('.').collect();
    local_ok && labels.len() >= 2 && labels.into_iter().all(is_label)
}

/// Domain in lower case.
pub(crate) fn domain(address: &str) -> String {
    address
        .rsplit_once('@')
        .map(|(_, domain)| domain.to_lowercase())
        .unwrap_or_default()
}

fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validates_addresses() {
        for good in [
            "ada@example.com",
            "o'hara+x/y@a-b.example.com",
            "A.B@EXAMPLE.COM",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a b@example.com",
            "a@b@example.com",
            ".a@example.com",
            "a@-b.com",
            "a@example.com\r\n",
        ] {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }
}
