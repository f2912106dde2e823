//! Names in code: splitting and classification.

/// True if a text contains the word zoom, in any letter case.
pub(crate) fn contains_zoom(text: &str) -> bool {
    text.to_ascii_lowercase().contains("zoom")
}

/// True if the name contains `apikey` or `apisecret`, in any spelling.
pub(crate) fn names_credential(name: &str) -> bool {
    let mut plain = name
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase());
    let plain: Vec<u8> = plain.by_ref().take(80).collect();
    [b"apikey".as_slice(), b"apisecret"]
        .iter()
        .any(|word| plain.windows(word.len()).any(|window| window == *word))
}

/// True if a function of that name may send a request or build its URL.
pub(crate) fn names_request(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [
        "post", "request", "call", "send", "api", "fetch", "endpoint", "url", "path", "execute",
        "invoke",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// True if a method of that name reads a member that it is given: `getString`, `optInt`.
pub(crate) fn names_getter(name: &str) -> bool {
    let words = split_words(name);
    words.first().is_some_and(|word| {
        matches!(
            word.as_str(),
            "get" | "opt" | "fetch" | "dig" | "path" | "value" | "read" | "field"
        )
    })
}

/// True if the code behind a name assigns to it.
pub(crate) fn is_assigned(after: &str) -> bool {
    let after = after.trim_start_matches([' ', '\t']);
    let after = { ["||", "??", ":"].iter() }
        .find_map(|sign| {
            after
                .strip_prefix(sign)
                .filter(|rest| rest.starts_with('='))
        })
        .unwrap_or(after);
    after
        .strip_prefix('=')
        .is_some_and(|rest| !rest.starts_with(['=', '>', '~']))
}

/// The last identifier of a name: `$this->api_url` gives `api_url`.
pub(crate) fn last_identifier(text: &str) -> &str {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let head = text.trim_end_matches(|letter| !is_part(letter));
    let start = head.trim_end_matches(is_part).len();
    head.get(start..).unwrap_or_default()
}

/// A callee without its type arguments: `api.Send<User>` gives `api.Send`.
pub(crate) fn without_type_arguments(text: &str) -> &str {
    /// Maximum length of type arguments, in bytes.
    const LONGEST: usize = 120;
    if !text.ends_with('>') {
        return text;
    }
    let mut depth = 0_usize;
    for (at, letter) in text.bytes().enumerate().rev().take(LONGEST) {
        let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at));
        match letter {
            // `->` and `=>` close nothing.
            b'>' if !matches!(before, Some(b'-' | b'=')) => depth += 1,
            b'<' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).filter(|_| letter == b'<').unwrap_or(text);
        }
    }
    text
}

/// The first of the names on the left of an assignment: `client, err` gives `client`.
pub(crate) fn first_name(text: &str) -> &str {
    last_identifier(text.split(',').next().unwrap_or_default())
}

/// The first identifier of a callee, in lower case: `app` in `app.post`.
pub(crate) fn root(callee: &str) -> String {
    let bare = callee.trim_start_matches(['@', '&', '*']);
    // `$.post` is a call of jQuery, `$app->post` one of a variable.
    let bare = match bare.strip_prefix('$') {
        Some(rest) if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') => rest,
        _ => bare,
    };
    bare.split(['.', ':', '-', '(', ' ', '?'])
        .find(|part| {
            !part.is_empty() && !matches!(*part, "this" | "self" | "await" | "new" | "return")
        })
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// A member and its receiver: `$zoom->user->list` gives `$zoom->user` and `list`.
pub(crate) fn split_member(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end_matches(['!', '?']);
    let name = last_identifier(text);
    let head = text.strip_suffix(name).filter(|_| !name.is_empty())?;
    Some((
        head.trim_end_matches(['.', '>', '-', ':', '?', '&', '!', ' ']),
        name,
    ))
}

/// The words of a name, in lower case: `zoom_printError` gives zoom, print, error.
pub(crate) fn split_words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for letter in name.chars() {
        if (!letter.is_alphanumeric() || letter.is_uppercase() && lower_before) && !word.is_empty()
        {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        lower_before = letter.is_lowercase() || letter.is_ascii_digit();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The resource named by a class: `Zoom::UsersClient` gives user. The words in `fillers` are
/// skipped.
pub(crate) fn resource_of(class: &str, fillers: &[String]) -> Option<String> {
    let mut words = split_words(last_identifier(class));
    if words.len() > 1 {
        words.retain(|word| !fillers.contains(word));
    }
    let [resource] = words.as_slice() else {
        return None;
    };
    Some(resource.strip_suffix('s').unwrap_or(resource).to_owned())
}
